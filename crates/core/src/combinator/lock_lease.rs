//! `.lock_lease(d)`: how soon another process takes over the load of one that died.

use crate::{Cache, Lookup};
use std::sync::Arc;
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Has the leases of the [`lock`](Self::lock) last for `lease` unless they are renewed, which they are three times in
    /// that span while their load runs.
    ///
    /// If the process dies in the middle of a load, another one takes over after `lease` at the latest. A process that stands
    /// still for two thirds of it may lose its lease, and the key is loaded twice.
    ///
    /// # Default
    ///
    /// 10 s.
    ///
    /// # Panics
    ///
    /// If no lock was given before, or if `lease` is shorter than 30 ms: no lock is renewed that fast.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use larder::prelude::*;
    /// # async fn example() -> larder::Result<()> {
    /// # #[cfg(feature = "redis")] {
    /// let redis = larder::Redis::connect("redis://localhost").await?;
    /// let reports = Cache::new(redis.clone()).codec(Json).lock(redis.lock()).lock_lease(secs(3));
    /// # let _: larder::Cache<str, String, _, _> = reports;
    /// # }
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn lock_lease(self, lease: Duration) -> Self {
        const SHORTEST: Duration = Duration::from_millis(30);
        assert!(lease >= SHORTEST, "a lease is renewed three times: give it {SHORTEST:?} or more");
        let lock = self.policy.loads.lock.as_ref().map(|lock| Arc::new(lock.with_lease(lease)));
        assert!(lock.is_some(), "`.lock_lease` is about leases of a lock: say it after `.lock`");
        self.decide(|policy| policy.loads.lock = lock)
    }
}
