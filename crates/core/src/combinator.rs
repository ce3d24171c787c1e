//! How a cache is put together, one file a method.

mod also_reads;
mod batch_loader;
mod boxed;
mod breaker;
mod bus;
mod cache_errors;
mod cache_if;
mod capped_by_dependencies;
mod chain;
mod clock;
mod codec;
mod coherence;
mod compressed;
mod early_expiration;
mod encrypted;
mod fallback;
mod hard_timeout;
mod jitter;
mod level_timeout;
mod loader;
mod lock;
mod lock_lease;
mod max_load_time;
mod max_value_bytes;
mod migrate;
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
mod tags;
mod time_to_idle;
mod ttl;
mod ttl_with;
mod version;
mod with;
mod write;

pub use promote::Promote;
pub(crate) use promote::Promotion;
pub use write::{Around, Through, WriteStrategy};

use crate::codec::Format;
use crate::holds::Holds;
use crate::policy::Policy;
use crate::wire::Wire;
use crate::{ByteStore, Cache, Key, Lookup};
use std::sync::Arc;

/// What all methods do that change how the values of a level travel.
impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup + Key,
    V: Clone + Send + Sync + 'static,
    S: ByteStore,
    C: Holds<S, K, V> + Format,
{
    /// Another cache over the same store.
    fn travelling(self, change: impl FnOnce(Wire<C>) -> Wire<C>) -> Self {
        let policy = Policy::clone(&self.policy);
        Cache::assemble(self.level.with_wire(change), policy, self.seams()).calling(self.call)
    }

    /// Another cache over the same store, with a codec for the same values that is made of the one that is there.
    fn recoded<D>(self, codec: impl FnOnce(&Arc<C>) -> D) -> Cache<K, V, S, D>
    where
        D: Holds<S, K, V>,
    {
        let policy = Policy::clone(&self.policy);
        Cache::assemble(self.level.with_codec(codec), policy, self.seams()).calling(self.call)
    }
}
