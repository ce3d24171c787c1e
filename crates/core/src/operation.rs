//! What a cache does, one file an operation.

mod clear;
mod contains;
mod expire;
mod get;
mod get_or_load;
mod insert;
mod lookup;
mod remove;
mod stats;

pub use insert::InsertOptions;
pub use lookup::Found;
