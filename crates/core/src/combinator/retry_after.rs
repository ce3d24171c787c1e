//! `.retry_after(d)`: how long to leave a failing loader alone while something old is served.
//!
//! ```text
//! load fails      d          2 d               4 d                     8 d          8 d ..
//!     |-----------|----------------|-----------------------|-----------------------...
//!     | kept      | try again, fails                       until a load succeeds
//! ```
//!
//! A reload in the stale window is tried again sooner: after 1 s, 2 s, 4 s .. up to `d`.

use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Waits `delay` after a failed load before the next one, while an old value is served; twice that after the
    /// second failure in a row, and so on, up to eight times.
    ///
    /// A reload behind a stale value, which delays nobody, is tried again after a second, then two, up to `delay`.
    /// A key that has nothing old to serve is loaded at each call.
    ///
    /// # Default
    ///
    /// 30 seconds
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
    ///     .retry_after(secs(5));
    /// # assert!(format!("{ages:?}").contains("L1 Memory"));
    /// ```
    pub fn retry_after(self, delay: Duration) -> Self {
        self.decide(|policy| policy.loads.retry_after = Some(delay))
    }
}
