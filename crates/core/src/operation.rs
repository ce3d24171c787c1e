//! What a cache does, one file an operation.

mod clear;
mod contains;
mod expire;
mod export;
mod flush;
mod get;
mod get_many;
mod get_or_load;
mod import;
mod insert;
mod insert_many;
mod invalidate;
mod invalidate_where;
mod load_many;
mod lookup;
mod mirror;
mod pause;
mod publish;
mod refresh_every;
mod refresh_hottest;
mod refresh_keys;
mod remove;
mod remove_many;
mod shutdown;
mod stats;
mod warm;

pub use export::Exported;
pub(crate) use get_or_load::value_of;
pub use import::Imported;
pub use insert::InsertOptions;
pub use lookup::Found;
pub(crate) use warm::{CONCURRENCY, Tally, at_least_one};
pub use warm::{Warm, WarmProgress, WarmReport, Warmed};
