//! Reading: [`get`](Cache::get) and [`get_now`](Cache::get_now).

use crate::flights::{Boarding, Visit, board};
use crate::fly::{Inside, NoLoader, Waited};
use crate::glance::{Rest, Seen};
use crate::holds::{Fetched, Holds};
use crate::spawn::spawn;
use crate::{Cache, Freshness, Lookup, Result};
use std::future::Future;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under `key`, fresh or stale, from the first level that has it.
    ///
    /// What a lower level has is copied into the levels before it, to live there as long as it has left, at most
    /// their own ttl. A stale value is returned at once; where there is a lower level, it is asked in the
    /// background. Nothing is loaded: for that there is [`get_or_load`](Cache::get_or_load).
    ///
    /// A hit at a first level in memory clones the value once, allocates nothing, and never suspends.
    ///
    /// # Errors
    ///
    /// None at present. A level that fails, or holds bytes that cannot be used, is passed over and reported to
    /// the observers.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing for others. A copy into a level that waits is completed.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// assert_eq!(ages.get("ada").await?, None);
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn get<'a>(&'a self, key: &'a K) -> impl Future<Output = Result<Option<V>>> + Send + 'a {
        async move {
            let rest = match self.begin_get(key) {
                Ok(found) => return Ok(found),
                Err(rest) => rest,
            };
            Ok(rest.await.map(|found| found.entry.into_value()))
        }
    }

    /// Answers, or returns the rest of the work. Not part of `get`, so that nothing of the first look lives in
    /// its future, which is to stay small.
    #[inline]
    fn begin_get<'a>(&'a self, key: &'a K) -> std::result::Result<Option<V>, Rest<'a, Option<Fetched<V>>>> {
        match self.glance(key) {
            Ok(entry) => Ok(Some(entry.into_value())),
            Err(seen) if self.is_miss(&seen) => Ok(None),
            Err(seen) => Err(Box::pin(self.read_on(key, seen))),
        }
    }

    /// Returns the value under `key` if the first level keeps it in memory, fresh or stale.
    ///
    /// Never waits, never loads, never reloads, and counts hits only; the place for it is before something that
    /// is itself expensive to build.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(ages.get_now("ada"), Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[inline]
    pub fn get_now(&self, key: &K) -> Option<V> {
        match self.glance(key) {
            Ok(entry) => Some(entry.into_value()),
            Err(Seen::Stale(entry)) => {
                self.inner.counters.level(0).stale.add();
                Some(entry.into_value())
            }
            Err(Seen::Ask(_)) => None,
        }
    }

    /// Counts a miss, if there is no level left to ask.
    pub(crate) fn is_miss(&self, seen: &Seen<V>) -> bool {
        let depth = C::depth(&self.level);
        let miss = matches!(seen, Seen::Ask(from) if *from == depth);
        if miss {
            self.inner.counters.missed(0, depth);
        }
        miss
    }

    /// Reads on, after a first look that saw nothing fresh.
    pub(crate) async fn read_on(&self, key: &K, seen: Seen<V>) -> Option<Fetched<V>> {
        match seen {
            Seen::Stale(entry) => {
                self.inner.counters.level(0).stale.add();
                self.refresh_from_below(key);
                Some(Fetched { entry, level: 0, freshness: Freshness::Stale })
            }
            Seen::Ask(from) => {
                self.inner.counters.missed(0, from);
                let visit = Visit::begin(&self.inner, key);
                let found = self.fetch(key, from).await?;
                let Fetched { entry, level, freshness } = &found;
                let answer = Fetched { entry: entry.clone(), level: *level, freshness: *freshness };
                self.promote(&visit, key, found, Inside::Caller).await;
                Some(answer)
            }
        }
    }

    /// Asks the levels behind the first one in the background, unless someone already does.
    fn refresh_from_below(&self, key: &K) {
        if C::depth(&self.level) == 1 {
            return;
        }
        if let Boarding::Lead(lead) = board(&self.inner, key) {
            let refresh =
                self.clone().fly(key.to_owned(), lead, 1, Waited::Not, Inside::Task, None::<NoLoader<V>>);
            // Without a runtime the stale value serves until someone loads.
            drop(spawn(refresh));
        }
    }
}
