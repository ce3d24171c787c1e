//! `.bus(b)`: invalidations reach other processes at once.

use crate::{Bus, Cache, Lookup};
use std::sync::Arc;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Has the group of this cache tell other processes on `bus` what is invalidated, and hear it from them.
    ///
    /// The bus is the group's: all caches over the same log tell and hear through it, whichever of them it is said on. The same
    /// pointer said twice is one bus. It makes invalidations faster, never surer: what it loses, a process learns from the log
    /// within the [bound](crate::CoherenceOptions::bound).
    ///
    /// # Default
    ///
    /// None.
    ///
    /// # Ordering
    ///
    /// After [`chain`](Self::chain), [`clock`](Self::clock) and [`coherence`](Self::coherence), which decide on the group.
    ///
    /// # Panics
    ///
    /// If the group has no log that processes share: nobody would be told.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use larder::prelude::*;
    /// # async fn example() -> larder::Result<()> {
    /// # #[cfg(feature = "redis")] {
    /// let redis = larder::Redis::connect("redis://localhost").await?;
    /// let names = Cache::new(Memory::<u64, String>::new(10_000))
    ///     .chain(Cache::new(redis.clone()).codec(Json).namespace("names"))
    ///     .bus(redis.bus().into());
    /// # let _: &dyn std::fmt::Debug = &names;
    /// # }
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn bus<B: Bus>(self, bus: Arc<B>) -> Self {
        let cure = "a level of Redis or PostgreSQL has one; say `.bus` after `.chain`";
        assert!(self.inner.coherence.shared().is_some(), "`.bus` needs a log that processes share: {cure}");
        let bus: Arc<dyn Bus> = bus;
        self.inner.coherence.add_bus(&bus);
        self
    }
}
