//! `.stale(d)`: after its fresh life an entry is served for another `d` while it is reloaded.
//!
//! ```text
//! load begins              ttl                    ttl + stale
//!     |-------- fresh ------|-------- stale -------|-- dead --
//!     | answer at once      | answer at once,      | wait for the load
//!     |                     | reload in background |
//! ```
//!
//! The reload is the key's flight: one at a time, with the loader of the call that found the entry stale. It asks
//! the levels behind first. If it fails, the entry stays as it is, the failure is reported, and a later call tries
//! again. A read without a loader asks the levels behind only. It costs nothing on a fresh hit.

use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Serves entries for `window` after their fresh life, while they are reloaded in the background.
    ///
    /// # Default
    ///
    /// Zero: an entry is dead when its ttl ends.
    ///
    /// # Ordering
    ///
    /// Before [`chain`](Self::chain) it is that level's window; after it, that of each level which has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .ttl(std::time::Duration::from_nanos(1))
    ///     .stale(secs(30));
    ///
    /// ages.insert("ada", 36).await?; // stale as soon as the clock moves
    /// # let mut clock = larder::Clock::now(&larder::SystemClock);
    /// # let start = clock; while clock <= start { clock = larder::Clock::now(&larder::SystemClock); }
    /// let found = ages.lookup("ada").await?.unwrap();
    /// assert_eq!((*found.value(), found.freshness()), (36, larder::Freshness::Stale));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn stale(self, window: Duration) -> Self {
        self.decide(|policy| policy.whole.stale = Some(window))
    }
}
