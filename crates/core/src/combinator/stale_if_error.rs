//! `.stale_if_error(d)`: an entry that can no longer be served is kept for another `d`, for loads that fail.
//!
//! ```text
//! load begins           ttl            ttl + stale                     ttl + stale + stale_if_error
//!     |------ fresh -----|---- stale ----|------------- kept ------------|-- dead --
//!     | answer at once   | answer at     | load; if that fails, answer   | load, or error
//!     |                  | once, reload  | with this, and wait with the  |
//!     |                  |               | next try (`.retry_after`)     |
//! ```
//!
//! It costs room: entries stay longer in every level. A hit costs what it did. Nothing is written when a load fails: the
//! entry keeps its age, and a table of failed keys says when to try again.

use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Keeps entries for `window` after they could be served, and serves them when a load fails.
    ///
    /// While an entry is kept, a caller that loads waits for its load; if that returns an error or panics, it gets the
    /// kept value instead, and so does everybody who waits. Until [`retry_after`](Self::retry_after) has passed, callers
    /// get the kept value without a load; levels behind are still asked. A read without a loader sees nothing of it.
    ///
    /// # Default
    ///
    /// Zero: nothing is kept, and a load's error reaches its callers.
    ///
    /// # Ordering
    ///
    /// Before [`chain`](Self::chain) it is that level's window; after it, that of each level which has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .ttl(std::time::Duration::from_nanos(1))
    ///     .stale_if_error(hours(24));
    ///
    /// ages.insert("ada", 36).await?; // no longer fresh as soon as the clock moves
    /// # let start = larder::Clock::now(&larder::SystemClock);
    /// # while larder::Clock::now(&larder::SystemClock) <= start {}
    /// let age = ages.get_or_load("ada", async || Err("the database is down")).await;
    /// assert_eq!(age.unwrap(), 36);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn stale_if_error(self, window: Duration) -> Self {
        self.decide(|policy| policy.whole.stale_if_error = Some(window))
    }
}
