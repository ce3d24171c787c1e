//! `.jitter(fraction)`: each entry's ttl is multiplied by a random factor, so that entries which were stored
//! together do not expire together.
//!
//! ```text
//! ttl 60 s, jitter 0.1      54 s      60 s      66 s
//!     |---------------------|===================|
//!                            the ends, evenly
//! ```
//!
//! One draw an entry: its levels are stretched or shortened alike. A copy that is promoted is drawn anew, and
//! never lives longer than its source has left.

use crate::{Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Multiplies each entry's ttl by a random factor between `1 - fraction` and `1 + fraction`.
    ///
    /// # Default
    ///
    /// 0: no jitter. The random numbers differ from process to process, see [`seed`](Self::seed).
    ///
    /// # Panics
    ///
    /// If `fraction` is not from 0 to below 1.
    ///
    /// # Ordering
    ///
    /// Before [`chain`](Self::chain) it is that level's; after it, that of each level which has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .ttl(minutes(1))
    ///     .jitter(0.1);
    ///
    /// ages.insert("ada", 36).await?;
    /// let left = ages.lookup("ada").await?.unwrap().ttl_left().unwrap();
    /// assert!((53..=66).contains(&left.as_secs()));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn jitter(self, fraction: f64) -> Self {
        assert!((0.0..1.0).contains(&fraction), "jitter is from 0 to below 1, not {fraction}");
        self.decide(|policy| policy.whole.jitter = Some(fraction))
    }
}
