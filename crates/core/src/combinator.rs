//! How a cache is put together, one file a method.

mod boxed;
mod chain;
mod clock;
mod codec;
mod jitter;
mod max_value_bytes;
mod name;
mod namespace;
mod observer;
mod promote;
mod retry_after;
mod seed;
mod stale;
mod stale_if_error;
mod ttl;
mod ttl_with;
mod write;

pub use promote::Promote;
pub(crate) use promote::Promotion;
pub use write::{Around, Through, WriteStrategy};
