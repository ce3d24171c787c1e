//! `.lock(l)`: one load of a key across all processes.

use crate::holds::Holds;
use crate::load_lock::LoadLock;
use crate::{Cache, Lock, Lookup};
use std::sync::Arc;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    C: Holds<S, K, V>,
{
    /// Has a key that is missing loaded by one process at a time: who gets the lease of the key from `lock` loads it, the
    /// others wait and take what it has put into the level that they share.
    ///
    /// Within a process there is one load of a key anyway; this is for loads so dear that one in each process is too many. A
    /// load costs two round trips more: the lease, and a second look. Hits cost nothing.
    ///
    /// - The lease is renewed while the load runs. If its process dies, another one takes over once the lease has ended, see
    ///   [`lock_lease`](Self::lock_lease).
    /// - A lock that fails, or takes longer than 1 s to answer, keeps nobody from loading:
    ///   [`Event::LockFailed`](crate::Event::LockFailed), and for 5 s loads do without it.
    /// - A load that leaves no value (it failed, or [`cache_if`](Self::cache_if) was against it) is followed by that of
    ///   another process; who has waited for eight of those loads without the lease.
    /// - A time-out of loads ([`soft_timeout`](Self::soft_timeout) ..) counts from the beginning of the wait. A reload of what
    ///   is stale waits as well, in the background.
    /// - With a level [written behind](Self::write) the value may come after the end of the lease, and be loaded again.
    ///
    /// A lease spares loads. What is right is decided without it, so one that is lost while the load runs (a process that
    /// stood still) costs a second load and nothing else: [`Event::LeaseLost`](crate::Event::LeaseLost).
    ///
    /// # Default
    ///
    /// None: each process loads for itself.
    ///
    /// # Ordering
    ///
    /// After [`chain`](Self::chain). Of two, the last one counts.
    ///
    /// # Panics
    ///
    /// If no level is a store of bytes: processes share nothing that the others could take.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use larder::prelude::*;
    /// # async fn example() -> larder::Result<()> {
    /// # #[cfg(feature = "redis")] {
    /// let redis = larder::Redis::connect("redis://localhost").await?;
    /// let reports = Cache::new(Memory::<u64, String>::new(10_000))
    ///     .chain(Cache::new(redis.clone()).codec(Json).namespace("reports").ttl(minutes(10)))
    ///     .lock(redis.lock());
    /// # let _: &dyn std::fmt::Debug = &reports;
    /// # }
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn lock(self, lock: impl Lock) -> Self {
        let mut levels = Vec::new();
        C::describe(&self.level, &mut levels);
        let is_shared = levels.iter().any(|level| level.codec.is_some());
        assert!(
            is_shared,
            "`.lock` needs a level that processes share, where the others find what one has loaded: say it after `.chain`"
        );
        let lock = Arc::new(LoadLock::new(Arc::new(lock)));
        self.decide(|policy| policy.loads.lock = Some(lock))
    }
}
