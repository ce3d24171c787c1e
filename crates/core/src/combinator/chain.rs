//! `.chain(l2)`: another level behind this one.
//!
//! ```text
//! read    L1 fresh ── answer
//!          │ else
//!         L2 fresh ── copy into L1 (for what is left, at most L1's ttl) ── answer
//!          │ else
//!         the best stale entry, or nothing
//! write   L2, then L1          remove    L2, then L1
//! ```
//!
//! A level that fails, or holds what cannot be used, is passed over. A chain is itself a level: `a.chain(b.chain(c))`
//! and `a.chain(b).chain(c)` behave alike. A hit at the first level costs what it costs without a second one.

use crate::codec::PerLevel;
use crate::holds::Holds;
use crate::level::Level;
use crate::{Cache, Chain, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Puts `next` behind this cache: what is not found here is asked for there, and copied up.
    ///
    /// The result is a new cache, with loads and statistics of its own.
    ///
    /// # Ordering
    ///
    /// `.chain` is a wall. What was said about life on either side ([`ttl`](Self::ttl), [`ttl_with`](Self::ttl_with),
    /// [`stale`](Self::stale), [`stale_if_error`](Self::stale_if_error), [`jitter`](Self::jitter)) is that side's; what is said afterwards is the whole's:
    /// a copy lives for the smallest ttl that applies, and has its level's window, or else the whole's. Name,
    /// clock, seed and what governs loads ([`retry_after`](Self::retry_after)) are the left side's; observers of both
    /// sides are told.
    ///
    /// # Panics
    ///
    /// If `next` was told something that governs loads: say it after `.chain`.
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let l1 = || Cache::new(Memory::<str, u32>::new(1_000));
    /// # let l2 = || Cache::new(Memory::<str, u32>::new(1_000));
    /// // Right: short in front, long behind.
    /// let right = l1().ttl(secs(60)).chain(l2().ttl(hours(1)));
    /// // Wrong, if it was meant for the front alone: both levels forget after 60 s.
    /// let wrong = l1().chain(l2().ttl(hours(1))).ttl(secs(60));
    /// # for cache in [right, wrong] {
    /// #     cache.insert("ada", 36).await?;
    /// #     assert!(cache.lookup("ada").await?.unwrap().ttl_left() <= Some(secs(60)));
    /// # }
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn chain<S2, C2>(
        self,
        next: Cache<K, V, S2, C2>,
    ) -> Cache<K, V, Chain<Level<S, C>, Level<S2, C2>>, PerLevel>
    where
        S2: Send + Sync + 'static,
        C2: Holds<S2, K, V>,
    {
        assert!(
            next.call.is_none(),
            "`.with` is for calls, and a level behind another one is not called: say it after `.chain`"
        );
        assert!(
            next.inner.group.is_none(),
            "`.coherence` governs the whole, and a level behind another one is judged with it: say it after `.chain`"
        );
        let policy = self.policy.chained(&next.policy);
        let seams = self.seams();
        let chain = Chain { front: self.level, back: next.level };
        Cache::assemble(Level::new(chain, PerLevel), policy, seams).calling(self.call)
    }
}
