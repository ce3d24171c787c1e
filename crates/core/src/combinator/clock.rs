//! `.clock(c)`: time comes from somewhere else.

use crate::holds::Holds;
use crate::policy::Policy;
use crate::seams::Seams;
use crate::{Cache, Clock, Lookup};
use std::sync::Arc;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Takes time from `clock`, in every level.
    ///
    /// The result is a new cache over the same store, with loads and statistics of its own; say it before the
    /// first use, because times of different clocks cannot be compared.
    ///
    /// # Default
    ///
    /// [`SystemClock`](crate::SystemClock).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// let cache = Cache::new(Memory::<str, u32>::new(1_000)).clock(larder::SystemClock);
    /// # assert!(format!("{cache:?}").contains("L1 Memory"));
    /// ```
    pub fn clock(self, clock: impl Clock) -> Self {
        let policy = Policy::clone(&self.policy);
        let seams = Seams { clock: Arc::new(clock), ..self.seams() };
        Cache::assemble(self.level, policy, seams).calling(self.call)
    }
}
