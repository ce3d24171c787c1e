//! The first look, which every read begins with and most end with.

use crate::holds::{Holds, Look};
use crate::{Cache, Entry, Freshness, Lookup};
use std::future::Future;
use std::pin::Pin;

/// What remains to be done after a first look that saw no fresh hit.
pub(crate) type Rest<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a first look saw that was no fresh hit.
pub(crate) enum Seen<V> {
    /// A stale entry at the first level.
    Stale(Entry<V>),
    /// Nothing to serve at once; ask from this level on. What the first level keeps for failures comes along.
    Ask(usize, Option<Entry<V>>),
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Looks without waiting, and counts a fresh hit. This is all that a hit costs.
    #[inline]
    pub(crate) fn glance(&self, key: &K) -> Result<V, Seen<V>> {
        match C::hit(&self.level, key, self.inner.clock.now()) {
            Ok(value) => {
                self.inner.counters.first_hits.add();
                Ok(value)
            }
            Err(Look::Hit(entry)) => Err(Seen::Stale(entry)),
            Err(Look::Ask(from, kept)) => Err(Seen::Ask(from, kept)),
        }
    }

    /// As [`glance`](Self::glance), with the times of what it finds.
    pub(crate) fn glance_at_entry(&self, key: &K) -> Result<Entry<V>, Seen<V>> {
        let now = self.inner.clock.now();
        match C::look(&self.level, key, now) {
            Look::Hit(entry) if entry.freshness(now) == Freshness::Fresh => {
                self.inner.counters.first_hits.add();
                Ok(entry)
            }
            Look::Hit(entry) => Err(Seen::Stale(entry)),
            Look::Ask(from, kept) => Err(Seen::Ask(from, kept)),
        }
    }
}
