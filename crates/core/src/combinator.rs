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
mod seed;
mod stale;
mod ttl;
mod ttl_with;
