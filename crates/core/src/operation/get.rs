//! Reading: [`get`](Cache::get) and [`get_now`](Cache::get_now).

use crate::flight::Outcome;
use crate::flights::{Boarding, Lead, board};
use crate::fly::{Inside, NoLoader, Waited};
use crate::glance::{Rest, Seen};
use crate::holds::{Fetched, Holds};
use crate::spawn::spawn;
use crate::{Cache, Freshness, Lookup, Result};
use std::future::Future;
use std::sync::Arc;

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
    /// their own ttl. However many callers ask at the same time, the lower levels are asked once. A stale value is
    /// returned at once; where there is a lower level, it is asked in the background. Nothing is loaded: for that there is [`get_or_load`](Cache::get_or_load).
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
    /// Dropping the future changes nothing for others.
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
            Ok(value) => Ok(Some(value)),
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
            Ok(value) => Some(value),
            Err(Seen::Stale(entry)) => {
                self.inner.counters.level(0).stale.add();
                Some(entry.into_value())
            }
            Err(Seen::Ask(..)) => None,
        }
    }

    /// Counts a miss, if there is no level left to ask.
    pub(crate) fn is_miss(&self, seen: &Seen<V>) -> bool {
        let depth = C::depth(&self.level);
        let miss = matches!(seen, Seen::Ask(from, _) if *from == depth);
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
                if C::depth(&self.level) > 1
                    && let Boarding::Lead(lead) = board(&self.inner.flights, key, false)
                {
                    // Without a runtime the stale value serves until someone loads.
                    drop(spawn(self.ask_below(key, lead, 1, Waited::Not)));
                }
                Some(Fetched { entry, level: 0, freshness: Freshness::Stale })
            }
            Seen::Ask(from, _) => self.read_below(key, from).await,
        }
    }

    /// Asks the levels from number `from` on, together with whoever else does.
    async fn read_below(&self, key: &K, from: usize) -> Option<Fetched<V>> {
        let counters = &self.inner.counters;
        let flight = match board(&self.inner.flights, key, false) {
            Boarding::Join(flight) => {
                counters.joins.add();
                flight
            }
            Boarding::Lead(lead) => {
                counters.missed(0, from);
                let flight = Arc::clone(&lead.flight);
                if let Err(asked) = spawn(self.ask_below(key, lead, from, Waited::For)) {
                    asked.await;
                }
                flight
            }
            Boarding::Alone(visit) => {
                counters.missed(0, from);
                let found = self.fetch(key, from, Waited::For).await.filter(Fetched::is_hit)?;
                let answer =
                    Fetched { entry: found.entry.clone(), level: found.level, freshness: found.freshness };
                self.copy_up(&visit, key, found, Inside::Caller).await;
                return Some(answer);
            }
        };
        match flight.wait(&*self.inner.clock).await {
            Outcome::Found(entry, level) => {
                Fetched::of(entry, level, self.inner.clock.now()).filter(Fetched::is_hit)
            }
            // What was cut off, or panicked in a level, is passed over.
            _ => None,
        }
    }

    /// A flight without a loader.
    fn ask_below(
        &self,
        key: &K,
        lead: Lead<K, V>,
        from: usize,
        waited: Waited,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.clone().fly(key.to_owned(), lead, from, waited, Inside::Task, None::<NoLoader<V>>)
    }
}
