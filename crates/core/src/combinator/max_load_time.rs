//! `.max_load_time(d)`: a load that takes longer than `d` is cut off, so that its key can be loaded again.
//!
//! Without it a load that hangs keeps its key for ever: it is the one load, and everybody joins it. See `overdue`.

use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Cuts off a load once it has taken `limit`: its future is dropped, who still waits for it gets an old value, where
    /// one is kept, or else [`LoadError::Timeout`](crate::LoadError::Timeout), and the next caller loads anew.
    ///
    /// # Default
    ///
    /// Ten times the [`hard_timeout`](Self::hard_timeout); without one, no limit.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
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
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).max_load_time(minutes(1));
    /// # assert!(format!("{ages:?}").contains("L1 Memory"));
    /// ```
    #[track_caller]
    pub fn max_load_time(self, limit: Duration) -> Self {
        assert!(!limit.is_zero(), "a load cannot take no time at all");
        self.decide(|policy| policy.loads.max_load_time = Some(limit))
    }
}
