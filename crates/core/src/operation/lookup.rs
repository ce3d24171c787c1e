//! Reading with provenance: [`lookup`](Cache::lookup).

use crate::holds::{Fetched, Holds};
use crate::{Cache, Freshness, Lookup, Result};
use crate::{Entry, Time};
use std::sync::Arc;
use std::time::Duration;

/// A value, where it came from, and how long it lives there.
#[derive(Clone)]
pub struct Found<V> {
    entry: Entry<V>,
    level: usize,
    freshness: Freshness,
    now: Time,
}

impl<V> Found<V> {
    /// Returns the value.
    pub fn value(&self) -> &V {
        self.entry.value()
    }

    /// Returns the value, giving up the rest.
    pub fn into_value(self) -> V {
        self.entry.into_value()
    }

    /// Returns the number of the level that had it; the first one is 0.
    pub fn level(&self) -> usize {
        self.level
    }

    /// Returns whether it was [`Fresh`](Freshness::Fresh) or [`Stale`](Freshness::Stale); or
    /// [`Kept`](Freshness::Kept), where the call allows that.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Returns how long ago the load of the value began.
    pub fn age(&self) -> Duration {
        self.entry.age(self.now)
    }

    /// Returns what was left of its fresh life at that level: zero when it was stale, `None` without end.
    pub fn ttl_left(&self) -> Option<Duration> {
        self.now.until(self.entry.fresh_until())
    }

    /// Returns the tags that were given with the value, in no particular order.
    pub fn tags(&self) -> &[Arc<str>] {
        self.entry.tags()
    }

    /// Returns the entry: the value with all its times and notes.
    pub fn entry(&self) -> &Entry<V> {
        &self.entry
    }
}

impl<V> std::fmt::Debug for Found<V> {
    /// Prints where it came from. Values may be secret and are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("level", &self.level)
            .field("freshness", &self.freshness)
            .field("age", &self.age())
            .field("ttl_left", &self.ttl_left())
            .finish_non_exhaustive()
    }
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under `key` with the level it came from, its age and what it has left.
    ///
    /// Does what [`get`](Self::get) does, and takes a little longer.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As for [`get`](Self::get).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    ///
    /// let found = ages.lookup("ada").await?.unwrap();
    /// assert_eq!(*found.value(), 36);
    /// assert_eq!(found.level(), 0);
    /// assert_eq!(found.freshness(), larder::Freshness::Fresh);
    /// assert_eq!(found.ttl_left(), None); // no ttl: never expires
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn lookup(&self, key: &K) -> Result<Option<Found<V>>> {
        let found = match self.glance_at_entry(key) {
            Ok(entry) => Some(Fetched { entry, level: 0, freshness: Freshness::Fresh }),
            Err(seen) if self.is_miss(&seen) => None,
            Err(seen) => Box::pin(self.read_on(key, seen)).await?,
        };
        let now = self.inner.clock.now_exact();
        Ok(found.map(|Fetched { entry, level, freshness }| {
            self.note_use(&entry);
            Found { entry, level, freshness, now }
        }))
    }
}
