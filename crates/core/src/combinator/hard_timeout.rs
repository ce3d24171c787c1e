//! `.hard_timeout(d)`: nobody waits longer than `d` for a load, and the load goes on.
//!
//! ```text
//! load begins        d                                     10 d
//!     |---------------|--------------------------------------|
//!     | wait          | the old value, or `Timeout`; the     | the load is cut off
//!     |               | load is stored if it ends            | (`.max_load_time`)
//! ```
//!
//! It counts from when the load began: who comes later than `d` after that does not wait at all. See `overdue`.

use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Lets nobody wait for a load that has taken `limit`: they get an old value, where one is kept, or else
    /// [`LoadError::Timeout`](crate::LoadError::Timeout).
    ///
    /// The load goes on in the background, as the one load of its key, and is stored when it ends. If it fails then, that
    /// is reported to the observers. A load that does not end is cut off after [`max_load_time`](Self::max_load_time).
    /// A load that runs inside its caller ([`get_or_load_scoped`](Self::get_or_load_scoped)) is waited for by that caller.
    ///
    /// A load that blocks its thread, instead of waiting for a future, is not noticed: wrap it in tokio's `spawn_blocking`.
    ///
    /// # Default
    ///
    /// None: callers wait.
    ///
    /// # Panics
    ///
    /// If `limit` is zero: no load would ever be waited for.
    ///
    /// # Ordering
    ///
    /// It governs loads, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).hard_timeout(millis(1));
    ///
    /// let hanging = async || std::future::pending::<Result<u32, std::io::Error>>().await;
    /// let age = ages.get_or_load("ada", hanging).await;
    /// assert!(matches!(age, Err(larder::LoadError::Timeout)));
    /// # });
    /// ```
    #[track_caller]
    pub fn hard_timeout(self, limit: Duration) -> Self {
        assert!(!limit.is_zero(), "a hard time-out of zero: every load would be too late");
        self.decide(|policy| policy.loads.hard_timeout = Some(limit))
    }
}
