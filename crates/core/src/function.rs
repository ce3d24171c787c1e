//! What the attributes of functions are made of: `#[cached]`, `#[invalidates]`, `#[scheduled]`.
//!
//! They expand to what a person would write with these pieces, and to nothing else of larder than its public API; so an
//! expansion can be read, copied, and changed by hand.
//!
//! | piece | for |
//! |---|---|
//! | [`owned`] | arguments that a load takes along |
//! | [`Scratch`], [`find`] | keys of several parts, built without allocating on a hit |
//! | [`Part`] | parts of a key that is text, which nobody can mistake for others |
//! | [`key_part`], [`kept`], [`CheckedKey`], [`CheckedValue`] | checks of types, each of which is one error |
//! | [`admits`], [`only`] | checks of values; one of many answers |
//! | [`Slot`] | a cache whose type of keys nobody has written down |
//! | [`Schedule`] | a function that runs again and again |
//! | [`Fallible`], [`Returns`] | what a function returns |
//! | [`Failure`] | the error of a function from that of a load |
//! | [`off_the_runtime`], [`to_the_end`], [`to_the_end_blocking`], [`Settle`] | work that blocks, that must not be left half done, that may be a future |

mod argument;
mod elsewhere;
mod failure;
mod part;
mod returns;
mod schedule;
mod scratch;
mod settle;
mod slot;

pub use argument::{Argument, CheckedKey, KeyPart, admits, key_part, only, owned};
pub use elsewhere::{off_the_runtime, to_the_end, to_the_end_blocking};
pub use failure::{ByBoth, ByClone, ByConversion, Failure, SharedError};
pub use part::Part;
pub use returns::{CheckedValue, Fallible, Kept, NoResult, Returns, kept};
pub use schedule::Schedule;
pub use scratch::{Scratch, find};
pub use settle::{Settle, SettleLater};
pub use slot::Slot;
