//! `.codec(c)`: what a store of bytes is to hold.

use crate::codec::{Codec, Format};
use crate::holds::Holds;
use crate::life::{Life, Ttl};
use crate::policy::Policy;
use crate::{ByteStore, Cache, Key, Lookup};
use std::sync::Arc;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Encodes values with `codec`. Which values is inferred from their use, or from the cache in front.
    ///
    /// Only a store of bytes has a codec, so this is said about that level, before [`chain`](Self::chain). The
    /// result is a new cache, with loads and statistics of its own.
    ///
    /// # Default
    ///
    /// [`Raw`](crate::Raw), for values that are [`Bytes`](bytes::Bytes).
    ///
    /// # Panics
    ///
    /// After [`ttl_with`](Self::ttl_with), [`cache_if`](Self::cache_if) or [`fallback`](Self::fallback), whose functions are
    /// of the old type: say them afterwards.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Object::in_memory()).codec(Json);
    /// ages.insert("ada", 36_u32).await?;
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn codec<W, D>(self, codec: D) -> Cache<K, W, S, D>
    where
        K: Key,
        S: ByteStore,
        W: Clone + Send + Sync + 'static,
        D: Codec<W> + Format,
    {
        let old = &self.policy;
        let ttl = match old.whole.ttl {
            None => None,
            Some(Ttl::Fixed(ttl)) => Some(Ttl::Fixed(ttl)),
            Some(Ttl::With(_)) => {
                panic!("`.ttl_with` before `.codec` takes values of another type: say `.codec` first")
            }
        };
        let policy = Policy {
            levels: vec![old.levels[0].with_lives(Vec::new())],
            whole: Life {
                ttl,
                jitter: old.whole.jitter,
                stale: old.whole.stale,
                stale_if_error: old.whole.stale_if_error,
                idle: old.whole.idle,
            },
            loads: old.loads.retyped(),
            on_store_error: old.on_store_error,
            name: old.name.clone(),
            observers: old.observers.clone(),
            random: Arc::clone(&old.random),
        };
        Cache::assemble(self.level.with_codec(|_| codec), policy, self.seams()).calling(self.call)
    }
}
