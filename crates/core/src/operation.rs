//! What a cache does, one file an operation.

mod clear;
mod contains;
mod expire;
mod export;
mod flush;
mod get;
mod get_or_load;
mod import;
mod insert;
mod invalidate;
mod invalidate_where;
mod lookup;
mod remove;
mod shutdown;
mod stats;
mod warm;

pub use export::Exported;
pub use import::Imported;
pub use insert::InsertOptions;
pub use lookup::Found;
pub use warm::{Warm, WarmProgress, WarmReport, Warmed};
