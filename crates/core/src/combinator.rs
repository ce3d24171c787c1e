//! How a cache is put together, one file a method.

mod boxed;
mod breaker;
mod cache_errors;
mod cache_if;
mod chain;
mod clock;
mod codec;
mod early_expiration;
mod fallback;
mod hard_timeout;
mod jitter;
mod level_timeout;
mod loader;
mod max_load_time;
mod max_value_bytes;
mod name;
mod namespace;
mod negative;
mod observer;
mod on_store_error;
mod promote;
mod refresh_ahead;
mod retry_after;
mod seed;
mod soft_timeout;
mod stale;
mod stale_if_error;
mod time_to_idle;
mod ttl;
mod ttl_with;
mod with;
mod write;

pub use promote::Promote;
pub(crate) use promote::Promotion;
pub use write::{Around, Through, WriteStrategy};
