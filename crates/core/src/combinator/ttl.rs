//! `.ttl(d)`: entries are fresh for `d`, counted from when their load began.
//!
//! ```text
//! load begins  ends            ttl
//!     |---------|---------------|
//!     |         insert          |
//!     |-------- fresh ----------| dead (or stale, see `.stale`)
//! ```
//!
//! A hit before the end is served, a read after it is a miss. It costs one comparison a hit; the clock is read
//! anyway. A dead entry is freed by the next sweep, or by its successor.

use crate::life::Ttl;
use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Lets entries be fresh for `ttl`, counted from when their load began (an inserted value's from the insert).
    ///
    /// The last of [`ttl`](Self::ttl) and [`ttl_with`](Self::ttl_with) counts. A ttl of zero stores nothing.
    /// Entries that are stored already keep the life they were given.
    ///
    /// # Default
    ///
    /// Entries never expire.
    ///
    /// # Ordering
    ///
    /// Before [`chain`](Self::chain) it is that level's, after it the whole's; the smallest applies:
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (minute, hour) = (minutes(1), hours(1));
    /// let cache = Cache::new(Memory::<str, u32>::new(1_000)).ttl(minute)    // the first level's
    ///     .chain(Cache::new(Memory::new(1_000)).ttl(10 * hour))             // the second level's
    ///     .ttl(hour);                                                   // everything's
    ///
    /// cache.insert("ada", 36).await?;
    /// assert!(cache.lookup("ada").await?.unwrap().ttl_left() <= Some(minute));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn ttl(self, ttl: Duration) -> Self {
        self.decide(|policy| policy.whole.ttl = Some(Ttl::Fixed(ttl)))
    }
}
