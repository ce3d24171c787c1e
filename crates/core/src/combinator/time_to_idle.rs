//! `.time_to_idle(d)`: an entry that nobody reads for `d` is gone.
//!
//! ```text
//! written      read     read                 d after the last read
//!     |---------|--------|----------------------|
//!     | as the ttl says, while it is read       | gone, without any window
//! ```
//!
//! The time of the last read is kept beside the entry, in the process, so it works in levels that keep values. A hit costs
//! one write to that place more; the entries of other caches cost what they did.

use crate::holds::Holds;
use crate::{Cache, Lookup};
use std::time::Duration;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Lets an entry expire that has not been read for `limit`, in each level that keeps values. The ttl applies beside it.
    ///
    /// A read is whatever looks at the entry: `get`, `get_now`, `get_or_load`, `lookup`, `contains`. An entry that died so
    /// is not kept for failures, and is freed without being read. Levels that keep bytes do not know when they are read,
    /// and go by the ttl alone.
    ///
    /// # Default
    ///
    /// Off.
    ///
    /// # Panics
    ///
    /// If `limit` is zero, or if no level keeps values: say [`ttl`](Self::ttl) of a level that keeps bytes.
    ///
    /// # Ordering
    ///
    /// Before [`chain`](Self::chain) it is that level's; after it, that of all. The smallest that applies counts.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let sessions = Cache::new(Memory::<str, u32>::new(1_000)).ttl(hours(24)).time_to_idle(minutes(30));
    /// sessions.insert("ada", 1).await?;
    /// assert_eq!(sessions.get("ada").await?, Some(1)); // and has another 30 minutes
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn time_to_idle(self, limit: Duration) -> Self {
        assert!(!limit.is_zero(), "an entry cannot be read within no time at all");
        let mut levels = Vec::new();
        C::describe(&self.level, &mut levels);
        assert!(
            levels.iter().any(|level| level.codec.is_none()),
            "a level that keeps bytes does not know when it is read: say `.ttl`, or put `Memory` in front of it"
        );
        self.decide(|policy| policy.whole.idle = Some(limit))
    }
}
