//! `.seed(n)`: the random numbers of a cache become repeatable.

use crate::random::Random;
use crate::{Cache, Lookup};
use std::sync::Arc;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Draws this cache's random numbers from a sequence that `seed` decides; for tests of
    /// [`jitter`](Self::jitter).
    ///
    /// # Default
    ///
    /// A sequence that differs from process to process.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// let cache = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .ttl(minutes(1))
    ///     .jitter(0.1)
    ///     .seed(7);
    /// # assert!(format!("{cache:?}").contains("L1 Memory"));
    /// ```
    pub fn seed(self, seed: u64) -> Self {
        self.decide(|policy| policy.random = Arc::new(Random::seeded(seed)))
    }
}
