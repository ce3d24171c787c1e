//! How a cache is put together, one file a method.

mod boxed;
mod breaker;
mod chain;
mod clock;
mod codec;
mod jitter;
mod level_timeout;
mod max_value_bytes;
mod name;
mod namespace;
mod observer;
mod on_store_error;
mod retry_after;
mod seed;
mod stale;
mod stale_if_error;
mod ttl;
mod ttl_with;
