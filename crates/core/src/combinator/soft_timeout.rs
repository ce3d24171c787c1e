//! `.soft_timeout(d)`: who waits longer than `d` for a load is served something old, and the load goes on.
//!
//! ```text
//! load begins        d                        load ends
//!     |---------------|-------------------------|
//!     | wait          | the old value at once   | stored as if it had been waited for
//! ```
//!
//! Old is what [`stale_if_error`](crate::Cache::stale_if_error) keeps; where there is nothing, callers wait on. What
//! [`stale`](crate::Cache::stale) covers is served at once anyway. See `overdue`.

use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Serves an old value, where one is kept, once a load has taken `limit`.
    ///
    /// The load goes on in the background, as the one load of its key, and is stored when it ends. If it fails then, that
    /// is reported to the observers, and the next try is put off as [`retry_after`](Self::retry_after) says.
    ///
    /// A load that blocks its thread, instead of waiting for a future, is not noticed: wrap it in tokio's `spawn_blocking`.
    ///
    /// # Default
    ///
    /// None: callers wait.
    ///
    /// # Panics
    ///
    /// If `limit` is zero: to serve old values without any waiting is [`stale`](Self::stale).
    ///
    /// # Ordering
    ///
    /// It governs loads, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .ttl(minutes(1))
    ///     .stale_if_error(hours(24))
    ///     .soft_timeout(millis(100));
    /// # assert!(format!("{ages:?}").contains("L1 Memory"));
    /// ```
    #[track_caller]
    pub fn soft_timeout(self, limit: Duration) -> Self {
        assert!(
            !limit.is_zero(),
            "a soft time-out of zero: to serve old values at once, say `.stale(window)`"
        );
        self.decide(|policy| policy.loads.soft_timeout = Some(limit))
    }
}
