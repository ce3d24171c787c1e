//! Reading: [`get`](Cache::get) and [`get_now`](Cache::get_now).

use crate::flight::Outcome;
use crate::flights::{Boarding, Lead, Wanted, board};
use crate::fly::{Inside, NoLoader, Trip, Waited};
use crate::glance::{Rest, Seen};
use crate::holds::{Fetched, Holds};
use crate::joined::Came;
use crate::spawn::catch_panic;
use crate::{Cache, Entry, Error, Freshness, Lookup, Result, Time};
use std::future::Future;
use std::pin::pin;
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
    /// their own ttl. However many callers ask at the same time, the lower levels are asked once, unless the key
    /// is being loaded: a read does not wait for a load. Where there is one level only, each asks it. A stale value is
    /// returned at once; where there is a lower level, it is asked in the background. What is only kept for failures is
    /// not returned, unless [`allow_stale`](crate::CallOptions::allow_stale) is said. Nothing is loaded: for that there
    /// is [`get_or_load`](Cache::get_or_load).
    ///
    /// A hit at a first level in memory clones the value once, allocates nothing, and never suspends.
    ///
    /// # Errors
    ///
    /// None, unless [`on_store_error`](Self::on_store_error) says so: a level that fails, or holds bytes that cannot be
    /// used, is passed over and reported to the observers.
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
            Ok(rest.await?.map(|found| self.serve(found.entry)))
        }
    }

    /// Answers, or returns the rest of the work. Not part of `get`, so that nothing of the first look lives in
    /// its future, which is to stay small.
    #[inline]
    fn begin_get<'a>(
        &'a self,
        key: &'a K,
    ) -> std::result::Result<Option<V>, Rest<'a, Result<Option<Fetched<V>>>>> {
        match self.glance(key) {
            Ok(value) => Ok(Some(value)),
            Err(seen) if self.is_miss(&seen) => Ok(None),
            Err(seen) => Err(Box::pin(self.read_on(key, seen))),
        }
    }

    /// Whether what is only kept for failures will do.
    fn allows_stale(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.allow_stale)
    }

    /// Whether this will do, though it is too old to be served at once. It may be so for this call only.
    pub(crate) fn allows(&self, kept: &Entry<V>) -> bool {
        self.allows_stale() && Some(kept.loaded_at()) >= self.floor(false)
    }

    /// Returns the value under `key` if the first level keeps it in memory, fresh or stale.
    ///
    /// Where other processes invalidate too, it returns only what needs no word from the shared log: `None` when that was not
    /// asked within the [bound](crate::CoherenceOptions::bound). Never waits, never loads, never reloads, and counts hits only; the place for it is before something that
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
            Err(Seen::Old(entry, freshness)) => {
                self.count_old(freshness);
                Some(self.serve(entry))
            }
            Err(Seen::Ask(_, Some(kept))) if self.allows(&kept) => Some(self.serve(kept)),
            Err(Seen::Ask(..)) => None,
        }
    }

    /// Returns the value under `key` if a call with a loader would return it and do nothing else: the first level keeps it in
    /// memory, fresh, and it is not due for a reload.
    ///
    /// As [`get_now`](Self::get_now): never waits, and counts hits only. The place for it is before a
    /// [`get_or_load`](Self::get_or_load) whose loader is expensive to build, because it clones what it needs.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(secs(60)).stale(secs(30));
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(ages.get_fresh_now("ada"), Some(36)); // and `None` after a minute
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[inline]
    pub fn get_fresh_now(&self, key: &K) -> Option<V> {
        self.glance_to_load(key).ok()
    }

    /// Counts that an entry at the first level was served, which is to be reloaded.
    pub(crate) fn count_old(&self, freshness: Freshness) {
        let level = self.inner.counters.level(0);
        if freshness == Freshness::Fresh { level.fresh.add() } else { level.stale.add() }
    }

    /// Counts a miss, if there is no level left to ask.
    pub(crate) fn is_miss(&self, seen: &Seen<V>) -> bool {
        let depth = C::depth(&self.level);
        let miss = match seen {
            Seen::Ask(from, kept) => *from == depth && !kept.as_ref().is_some_and(|kept| self.allows(kept)),
            Seen::Old(..) => false,
        };
        if miss {
            self.inner.counters.missed(0, depth);
        }
        miss
    }

    /// Reads on, after a first look that saw nothing fresh.
    pub(crate) async fn read_on(&self, key: &K, seen: Seen<V>) -> Result<Option<Fetched<V>>> {
        match seen {
            Seen::Old(entry, freshness) => {
                self.count_old(freshness);
                // Without a runtime the old value serves until someone loads.
                if C::depth(&self.level) > 1
                    && let Some(place) = self.place_in_background()
                    && let Boarding::Lead(lead) = board(&self.inner.flights, key, self.wanted_to_read())
                {
                    lead.flight.replaces(entry.clone());
                    place.start(self.ask_below(lead, 1, Waited::Not));
                }
                Ok(Some(Fetched { entry, level: 0, freshness }))
            }
            Seen::Ask(from, kept) => {
                let below = if from < C::depth(&self.level) {
                    self.read_below(key, from).await
                } else {
                    self.inner.counters.missed(0, from);
                    Ok(None)
                };
                if matches!(&below, Ok(Some(found)) if found.is_hit()) {
                    return below;
                }
                // The first level is heard first, as where a load fails.
                let kept = kept.filter(|kept| self.allows(kept));
                match kept.and_then(|kept| Fetched::of(kept, 0, self.inner.clock.now())) {
                    Some(kept) => Ok(Some(kept)),
                    None => below,
                }
            }
        }
    }

    /// Asks the levels from number `from` on.
    async fn read_below(&self, key: &K, from: usize) -> Result<Option<Fetched<V>>> {
        if from == 0 && C::depth(&self.level) == 1 {
            self.read_only_level(key).await
        } else {
            Box::pin(self.read_together(key, from, self.comes_midway(from))).await
        }
    }

    /// Asks the only level that there is. Nothing is copied up, so this may end at any point, and needs no task. Who
    /// asks at the same time asks for itself: that costs the store less than it would cost here to find each other.
    async fn read_only_level(&self, key: &K) -> Result<Option<Fetched<V>>> {
        let floor = self.floor(false);
        let fetch = pin!(self.fetch(key, 0, Waited::For, floor, self.cx()));
        // What panicked in a level is passed over.
        let (found, failure) = catch_panic(fetch).await.unwrap_or((None, None));
        match found.filter(|found| self.answers(found, floor)) {
            Some(found) => Ok(Some(found)),
            None => self.verdict(failure).map(|()| None),
        }
    }

    /// Asks the levels from number `from` on, together with whoever else does.
    async fn read_together(&self, key: &K, from: usize, came: Came) -> Result<Option<Fetched<V>>> {
        let counters = &self.inner.counters;
        let floor = self.floor(false);
        let answers = |found: &Fetched<V>| self.answers(found, floor);
        let (flight, came) = match board(&self.inner.flights, key, self.wanted_to_read()) {
            Boarding::Join(flight) => {
                counters.joins.add();
                (flight, came)
            }
            Boarding::Lead(lead) => {
                counters.missed(0, from);
                let flight = Arc::clone(&lead.flight);
                let asked = self.ask_below(lead, from, Waited::For);
                match self.place_to_wait_for() {
                    Some(place) => place.start(asked),
                    None => asked.await,
                }
                (flight, Came::Before)
            }
            Boarding::Alone(visit) => {
                counters.missed(0, from);
                let (found, failure) = self.fetch(key, from, Waited::For, floor, self.cx_of(&visit)).await;
                let Some(found) = found.filter(&answers) else {
                    return self.verdict(failure).map(|()| None);
                };
                let answer =
                    Fetched { entry: found.entry.clone(), level: found.level, freshness: found.freshness };
                if found.is_hit() {
                    self.copy_up(&visit, key, found, Inside::Caller).await;
                }
                return Ok(Some(answer));
            }
        };
        let clock = &*self.inner.clock;
        let mut outcome = flight.wait(clock).await;
        if let Outcome::Found(entry, _) = &outcome
            && !flight.has_ended()
            && !self.is_known_to(came, key, entry).await
        {
            // What it serves meanwhile is older than what it ends with.
            outcome = flight.wait_for_new().await;
        }
        let found = match outcome {
            // It may have been read before an invalidation that came before this call.
            Outcome::Found(entry, level) => {
                if !self.is_known_to(came, key, &entry).await {
                    return Box::pin(self.read_together(key, from, Came::Before)).await;
                }
                Some((entry, level))
            }
            // With `Fail` the read ends at the level that failed, so nothing kept was found behind it either.
            Outcome::Unread(error) if self.policy.minds_store_errors() => return Err(error),
            // Cut off with its runtime or its caller, which says nothing about the level.
            Outcome::Abandoned => return Box::pin(self.read_together(key, from, Came::Before)).await,
            // It may have been inserted before this call.
            Outcome::Nothing if matches!(came, Came::Midway(Some(_))) => {
                return Box::pin(self.read_together(key, from, Came::Before)).await;
            }
            // What panicked in a level is passed over.
            _ => flight.fallback(clock).cloned(),
        };
        Ok(found.and_then(|(entry, level)| Fetched::of(entry, level, clock.now()).filter(answers)))
    }

    /// Whether what was found is an answer to a read of this handle.
    pub(crate) fn answers(&self, found: &Fetched<V>, floor: Option<Time>) -> bool {
        (found.is_hit() || self.allows_stale()) && Some(found.entry.loaded_at()) >= floor
    }

    fn wanted_to_read(&self) -> Wanted {
        Wanted { loads: false, now: self.inner.clock.now_exact(), floor: self.floor(false) }
    }

    /// Says whether a read that found nothing is an error of this handle, when a level failed. Who joined the read may
    /// decide otherwise than who began it.
    pub(crate) fn verdict(&self, failure: Option<Error>) -> Result<()> {
        failure.filter(|_| self.policy.minds_store_errors()).map_or(Ok(()), Err)
    }

    /// A flight without a loader.
    fn ask_below(
        &self,
        lead: Lead<K, V>,
        from: usize,
        waited: Waited,
    ) -> impl Future<Output = ()> + Send + 'static {
        let trip = Trip { from, waited, floor: self.floor(false), expects: None };
        self.clone().fly(lead, trip, Inside::Task, None::<NoLoader<K, V>>)
    }
}
