//! The keys that are read most, and a schedule that keeps them fresh:
//! [`refresh_hottest`](crate::Loading::refresh_hottest).

use crate::codec::PerLevel;
use crate::holds::Holds;
use crate::{Boxed, LoadError, Loading, Lookup, RefreshedKeys};
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

/// A cache whose most read keys a schedule keeps fresh: what [`Loading::refresh_hottest`] makes.
///
/// It derefs to [`Loading`]; reads by [`get`](Self::get) are counted, and no others. It owns its schedule, which ends when it is
/// dropped. To share it, put it into an `Arc`.
#[must_use = "the schedule ends when this is dropped"]
pub struct Hottest<K: ?Sized + Lookup, V, E, S = Boxed<K, V>, C = PerLevel> {
    loading: Loading<K, V, E, S, C>,
    heat: Arc<Heat<K>>,
    keys: RefreshedKeys<K::Owned, E>,
}

impl<K, V, E, S, C> Hottest<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    pub(crate) fn new(
        loading: Loading<K, V, E, S, C>,
        heat: Arc<Heat<K>>,
        keys: RefreshedKeys<K::Owned, E>,
    ) -> Self {
        Hottest { loading, heat, keys }
    }

    /// Returns the value under `key`, as [`Loading::get`] does, and counts that it was read.
    ///
    /// # Errors
    ///
    /// As for [`Loading::get`].
    ///
    /// # Cancel safety
    ///
    /// As for [`Loading::get`].
    pub fn get<'a>(&'a self, key: &'a K) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a {
        self.heat.read(key);
        self.loading.get(key)
    }

    /// Returns the keys that are kept fresh as things are now, the hottest first.
    pub fn hottest(&self) -> Vec<K::Owned> {
        self.heat.hottest()
    }

    /// Returns the schedule.
    pub fn schedule(&self) -> &RefreshedKeys<K::Owned, E> {
        &self.keys
    }

    /// Ends the schedule, and returns the cache.
    ///
    /// # Cancel safety
    ///
    /// The schedule ends all the same.
    pub async fn shutdown(self) -> Loading<K, V, E, S, C> {
        self.keys.shutdown().await;
        self.loading
    }
}

impl<K: ?Sized + Lookup, V, E, S, C> Deref for Hottest<K, V, E, S, C> {
    type Target = Loading<K, V, E, S, C>;

    fn deref(&self) -> &Self::Target {
        &self.loading
    }
}

impl<K, V, E, S, C> fmt::Debug for Hottest<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    C: Holds<S, K, V>,
{
    /// Prints the cache, and no keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hottest")
            .field("cache", &self.loading)
            .field("many", &self.heat.many)
            .finish_non_exhaustive()
    }
}

/// How often which keys are read, of late. Counters for some of them do: whenever a new key finds all taken, each loses
/// one, and who has none left goes (Misra and Gries, Finding Repeated Elements, 1982). So of *n* counters a key that gets more
/// than one in *n* of the reads that are counted keeps one. Each time that the hottest are loaded, all are halved.
pub(crate) struct Heat<K: ?Sized + Lookup> {
    /// How many are the hottest.
    many: usize,
    /// Held to count one read. A read that finds it taken is not counted, so that nobody waits: the hottest are read often
    /// enough.
    counters: Mutex<HashMap<K::Owned, u64, crate::sync::RandomState>>,
}

/// Counters for each of the hottest.
const COUNTERS: usize = 8;

impl<K: ?Sized + Lookup> Heat<K> {
    pub(crate) fn new(many: usize) -> Self {
        Heat { many, counters: Mutex::default() }
    }

    fn read(&self, key: &K) {
        let Some(mut counters) = self.counters.try_lock() else { return };
        if let Some(count) = counters.get_mut(key) {
            *count += 1;
            return;
        }
        if counters.len() >= self.many.saturating_mul(COUNTERS) {
            counters.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        } else {
            counters.insert(key.to_owned(), 1);
        }
    }

    /// The keys that were read most, the hottest first.
    pub(crate) fn hottest(&self) -> Vec<K::Owned> {
        let counters = self.counters.lock();
        let mut keys: Vec<_> = counters.iter().map(|(key, count)| (Reverse(*count), key)).collect();
        keys.sort_by_key(|(count, _)| *count);
        keys.into_iter().take(self.many).map(|(_, key)| key.clone()).collect()
    }

    /// The same, and lets what was read long ago cool down.
    pub(crate) fn take(&self) -> Vec<K::Owned> {
        let hottest = self.hottest();
        self.counters.lock().retain(|_, count| {
            *count /= 2;
            *count > 0
        });
        hottest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_often_is_found_among_what_is_read_once() {
        let heat = Heat::<u64>::new(3);
        for number in 0..10_000 {
            heat.read(&(1_000 + number));
            heat.read(&(number % 3));
        }
        let mut hottest = heat.hottest();
        hottest.sort_unstable();
        assert_eq!(hottest, [0, 1, 2]);
        assert!(heat.counters.lock().len() <= 24);
    }

    #[test]
    fn what_is_not_read_any_more_cools_down() {
        let heat = Heat::<u64>::new(1);
        (0..100).for_each(|_| heat.read(&1));
        assert_eq!(heat.take(), [1]);
        (0..60).for_each(|_| heat.read(&2));
        assert_eq!(heat.take(), [2]);
        (0..7).for_each(|_| drop(heat.take()));
        assert!(heat.hottest().is_empty());
    }

    #[test]
    fn a_read_that_finds_the_counters_taken_does_not_wait() {
        let heat = Heat::<str>::new(1);
        let taken = heat.counters.lock();
        heat.read("ada");
        drop(taken);
        assert!(heat.hottest().is_empty());
    }
}
