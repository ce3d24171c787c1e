//! `.observer(o)`: someone is told what callers are not.

use crate::{Cache, Lookup, Observer};
use std::sync::Arc;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Tells `observer` each [`Event`](crate::Event) of the operations that go through this handle. Observers
    /// add up.
    ///
    /// # Default
    ///
    /// Nobody is told; failures are still counted, see [`stats`](Self::stats).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// let cache = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .observer(|event: &larder::Event<'_>| eprintln!("{event:?}"));
    /// # assert!(format!("{cache:?}").contains("L1 Memory"));
    /// ```
    pub fn observer(self, observer: impl Observer) -> Self {
        self.decide(|policy| policy.observers.add(Arc::new(observer)))
    }
}
