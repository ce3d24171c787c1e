//! How a caller that has a loader gets its answer: at the first look, from a flight, or by flying itself.
//!
//! ```text
//! look ── fresh ── answer
//!   ├──── old ──── answer, and fly in the background unless someone does, or it failed a short while ago
//!   └─── miss ──── board ── someone flies: wait with the others
//!                    └───── nobody does: ask the lower levels, load, store; everybody who waits is answered
//! ```

use crate::crowd::BoxFuture;
use crate::flight::{Flight, Outcome};
use crate::flights::{Boarding, Lead, Visit, Wanted, board, joinable};
use crate::fly::{Inside, Loaded, Trip, Waited};
use crate::glance::{Rest, Seen};
use crate::holds::Holds;
use crate::joined::{Came, Joined};
use crate::{Cache, Entry, Freshness, LoadContext, LoadError, Lookup, Time, cycle};
use std::any::{Any, TypeId};
use std::future::Future;
use std::sync::Arc;

/// Where a caller that saw nothing fresh finds itself.
pub(crate) enum Seat<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static, E> {
    Answer(Result<V, LoadError<E>>),
    /// It is to load.
    Lead(Duty<K, V>),
    /// It is to wait for another one's load.
    Join(Arc<Flight<K, V>>, Missed<V>),
}

/// The duty to load, and what goes with it.
pub(crate) struct Duty<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> {
    lead: Lead<K, V>,
    trip: Trip,
    /// What the caller is served meanwhile.
    at_hand: Option<Entry<V>>,
}

/// What a look that found nothing to serve leaves to be done.
pub(crate) struct Missed<V> {
    from: usize,
    kept: Option<Entry<V>>,
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Answers, or returns the rest of the work. Not part of the callers, so that nothing of the first look
    /// lives in their futures, which are to stay small.
    #[inline]
    pub(crate) fn begin_load<'a, E: Send + Sync + 'static>(
        &'a self,
        key: &'a K,
        rest: impl FnOnce(Seat<K, V, E>) -> Rest<'a, Result<V, LoadError<E>>>,
    ) -> Result<Result<V, LoadError<E>>, Rest<'a, Result<V, LoadError<E>>>> {
        let landed = self.inner.flights.landed();
        match self.glance_to_load(key) {
            Ok(value) => Ok(Ok(value)),
            Err(seen) => match self.take_seat(key, seen, landed) {
                Seat::Answer(answer) => Ok(answer),
                seat => Err(rest(seat)),
            },
        }
    }

    /// Goes on after a first look that saw nothing fresh, with a load that can be a task.
    pub(crate) async fn load_on<F, Fut, E>(
        &self,
        key: &K,
        seat: Seat<K, V, E>,
        load: F,
    ) -> Result<V, LoadError<E>>
    where
        F: FnOnce(LoadContext<K, V>) -> Fut + Send + 'static,
        Fut: Future<Output = Loaded<V>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let Duty { lead, trip, at_hand } = match self.seated(key, seat).await {
            Ok(duty) => duty,
            Err(answer) => return answer,
        };
        let flight = Arc::clone(&lead.flight);
        let load = Some(load);
        // Asked before the flight is made, which else would lie in this future too.
        let place = if at_hand.is_some() { self.place_in_background() } else { self.place_to_wait_for() };
        let Some(place) = place else {
            let flown = self.clone().fly(lead, trip, Inside::Task, load);
            let _waiting = cycle::wait_for(flight.id, self.waits_until());
            Box::pin(flown).await;
            return self.led(key, &flight, trip, at_hand).await;
        };
        // Before the load begins: as long as it does not run it waits for nobody, and cannot close a circle.
        let _waiting = at_hand.is_none().then(|| cycle::wait_for(flight.id, self.waits_until()));
        place.start(self.clone().fly(lead, trip, Inside::Task, load));
        if let Some(at_hand) = at_hand {
            return Ok(self.serve(at_hand));
        }
        self.led(key, &flight, trip, None).await
    }

    /// As [`load_on`](Self::load_on), with a load that stays inside its caller.
    pub(crate) async fn load_on_scoped<F, Fut, E>(
        &self,
        key: &K,
        seat: Seat<K, V, E>,
        load: F,
    ) -> Result<V, LoadError<E>>
    where
        F: FnOnce(LoadContext<K, V>) -> Fut + Send,
        Fut: Future<Output = Loaded<V>> + Send,
        E: Send + Sync + 'static,
    {
        let Duty { lead, trip, at_hand } = match self.seated(key, seat).await {
            Ok(duty) => duty,
            Err(answer) => return answer,
        };
        let flight = Arc::clone(&lead.flight);
        let _waiting = cycle::wait_for(flight.id, self.waits_until());
        Box::pin(self.clone().fly(lead, trip, Inside::Caller, Some(load))).await;
        self.led(key, &flight, trip, at_hand).await
    }

    /// As [`load_on_scoped`](Self::load_on_scoped), with a load that can go on elsewhere: where there is something old to serve
    /// and `start` takes the flight, nobody waits for it.
    pub(crate) async fn load_on_elsewhere<F, Fut, E>(
        &self,
        key: &K,
        seat: Seat<K, V, E>,
        load: F,
        start: impl FnOnce(BoxFuture<'static, ()>) -> Option<BoxFuture<'static, ()>> + Send,
    ) -> Result<V, LoadError<E>>
    where
        F: FnOnce(LoadContext<K, V>) -> Fut + Send + 'static,
        Fut: Future<Output = Loaded<V>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let Duty { lead, trip, at_hand } = match self.seated(key, seat).await {
            Ok(duty) => duty,
            Err(answer) => return answer,
        };
        let flight = Arc::clone(&lead.flight);
        let flown = Box::pin(self.clone().fly(lead, trip, Inside::Task, Some(load)));
        let flown: BoxFuture<'static, ()> = match &at_hand {
            Some(entry) => match start(flown) {
                None => return Ok(self.serve(entry.clone())),
                Some(left) => left,
            },
            None => flown,
        };
        let _waiting = cycle::wait_for(flight.id, self.waits_until());
        flown.await;
        self.led(key, &flight, trip, at_hand).await
    }

    /// What the leader of a flight answers, once there is something: if that failed, what it has at hand.
    async fn led<E: Send + Sync + 'static>(
        &self,
        key: &K,
        flight: &Flight<K, V>,
        trip: Trip,
        at_hand: Option<Entry<V>>,
    ) -> Result<V, LoadError<E>> {
        let outcome = self.outcome(flight, trip.floor).await;
        if matches!(outcome, Outcome::Absent) {
            // Whoever leads such a load knows that it left the key out. Nothing stands in for what is not there.
            return Err(LoadError::Abandoned);
        }
        let serves = |entry: &Entry<V>| {
            entry.freshness(self.inner.clock.now()) != Freshness::Dead
                && flight.may_serve(entry)
                && !flight.edits.lock().no_fallback
        };
        let at_hand = at_hand.filter(serves);
        match (self.answer(key, flight, trip.floor, outcome), at_hand) {
            (Some(Ok(value)), _) => Ok(value),
            (_, Some(at_hand)) => Ok(self.serve(at_hand)),
            (Some(error), None) => error,
            (None, None) => self.instead(key, flight, trip.floor, LoadError::Abandoned),
        }
    }

    /// Waits, as long as there is someone to wait for, until there is an answer or the duty to fly.
    async fn seated<E: Send + Sync + 'static>(
        &self,
        key: &K,
        mut seat: Seat<K, V, E>,
    ) -> Result<Duty<K, V>, Result<V, LoadError<E>>> {
        let mut first = None;
        loop {
            let (flight, missed) = match seat {
                Seat::Answer(answer) => return Err(answer),
                Seat::Lead(duty) => return Ok(duty),
                Seat::Join(flight, missed) => (flight, missed),
            };
            let floor = self.floor(true);
            let (id, midway) = *first.get_or_insert_with(|| (flight.id, self.comes_midway(missed.from)));
            let came = if flight.id == id { midway } else { Came::Before };
            match self.join(key, &flight, floor, came).await {
                Joined::Answer(answer) => return Err(answer),
                Joined::TooLong => {
                    let visit = Visit::begin(&self.inner.flights, key);
                    let lead = Lead::alone(visit, key, self.inner.clock.now_exact());
                    return Ok(self.duty::<E>(lead, missed.from, floor, None, missed.kept));
                }
                Joined::Nothing => {}
            }
            let landed = self.inner.flights.landed();
            seat = match self.glance_to_load(key) {
                Ok(value) => Seat::Answer(Ok(value)),
                Err(seen) => self.take_seat(key, seen, landed),
            };
        }
    }

    /// Decides, without waiting, what becomes of a caller that saw nothing fresh.
    pub(crate) fn take_seat<E: Send + Sync + 'static>(
        &self,
        key: &K,
        seen: Seen<V>,
        landed: u64,
    ) -> Seat<K, V, E> {
        let floor = self.floor(true);
        let (from, at_hand, kept) = match seen {
            Seen::Old(entry, freshness) => {
                self.count_old(freshness);
                // Nearly all old hits end here.
                if self.is_backing_off(key) || joinable(&self.inner.flights, key, floor).is_some() {
                    return Seat::Answer(Ok(self.serve(entry)));
                }
                (1, Some(entry), None)
            }
            Seen::Ask(from, kept) => {
                if let Some(answer) = self.answer_from_memory(key, from, kept.as_ref(), floor) {
                    return Seat::Answer(answer);
                }
                if let Some(flight) = joinable(&self.inner.flights, key, floor) {
                    return self.with_others(key, flight, from, kept);
                }
                (from, None, kept)
            }
        };
        let wanted = Wanted { loads: true, now: self.inner.clock.now_exact(), floor };
        match (board(&self.inner.flights, key, wanted), at_hand) {
            (Boarding::Lead(lead), at_hand) => {
                // A flight that landed between the look and the boarding may have stored the value.
                if self.inner.flights.landed() != landed
                    && let Ok(entry) = self.glance_at_entry_to_load(key)
                {
                    // With its times, by which others judge whether it will do for them.
                    lead.end(Outcome::Found(entry.clone(), 0));
                    return Seat::Answer(Ok(self.serve(entry)));
                }
                // What was kept may have been removed since the look, and others will be served it.
                let kept = kept.and_then(|_| self.at_hand(key));
                Seat::Lead(self.duty::<E>(lead, from, floor, at_hand, kept))
            }
            (_, Some(at_hand)) => Seat::Answer(Ok(self.serve(at_hand))),
            (Boarding::Join(flight), None) => self.with_others(key, flight, from, kept),
            (Boarding::Alone(visit), None) => {
                let lead = Lead::alone(visit, key, wanted.now);
                Seat::Lead(self.duty::<E>(lead, from, floor, None, kept))
            }
        }
    }

    fn with_others<E>(
        &self,
        key: &K,
        flight: Arc<Flight<K, V>>,
        from: usize,
        kept: Option<Entry<V>>,
    ) -> Seat<K, V, E> {
        self.inner.counters.joins.add();
        // Its leader may have seen it while it was fresh or stale, or not at all.
        let kept = kept.and_then(|_| self.at_hand(key));
        if let Some(kept) = &kept {
            flight.fall_back_on(kept.clone(), 0);
        }
        Seat::Join(flight, Missed { from, kept })
    }

    fn duty<E: 'static>(
        &self,
        lead: Lead<K, V>,
        from: usize,
        floor: Option<Time>,
        at_hand: Option<Entry<V>>,
        kept: Option<Entry<V>>,
    ) -> Duty<K, V> {
        let waited = if at_hand.is_some() { Waited::Not } else { Waited::For };
        if waited == Waited::For {
            self.inner.counters.missed(0, from);
        }
        if let Some(kept) = kept {
            lead.flight.fall_back_on(kept, 0);
        }
        if let Some(at_hand) = &at_hand {
            lead.flight.replaces(at_hand.clone());
        }
        let expects = (waited == Waited::For).then(TypeId::of::<E>);
        Duty { lead, trip: Trip { from, waited, floor, expects }, at_hand }
    }

    /// What is known to be the answer though there is nothing to serve at once: an error that is remembered, or what
    /// stands in for a loader that failed a short while ago. No level is left to ask.
    fn answer_from_memory<E: Send + Sync + 'static>(
        &self,
        key: &K,
        from: usize,
        kept: Option<&Entry<V>>,
        floor: Option<Time>,
    ) -> Option<Result<V, LoadError<E>>> {
        if from < C::depth(&self.level) || floor.is_some() || self.wants_new() {
            return None;
        }
        let fallback = || self.policy.loads.fallback.as_ref().map(|fallback| fallback(key));
        let (failures, now) = (&self.inner.failures, self.inner.clock.now());
        let answer = if let Some(error) = failures.remembered(key, now, TypeId::of::<E>()) {
            self.inner.counters.remembered.add();
            match fallback() {
                Some(value) => Ok(value),
                None => Err(LoadError::Load(error.downcast().ok()?)),
            }
        } else if failures.is_waiting(key, now) {
            let kept = kept.map(|kept| self.serve(kept.clone()));
            Ok(kept.or_else(fallback)?)
        } else {
            return None;
        };
        self.inner.counters.missed(0, from);
        Some(answer)
    }

    /// Whether a reload of this key failed a short while ago.
    fn is_backing_off(&self, key: &K) -> bool {
        self.inner.failures.is_waiting(key, self.inner.clock.now())
    }

    /// What the outcome of a flight is to a caller; `None` means to begin again.
    pub(crate) fn answer<E: Send + Sync + 'static>(
        &self,
        key: &K,
        flight: &Flight<K, V>,
        floor: Option<Time>,
        outcome: Outcome<V>,
    ) -> Option<Result<V, LoadError<E>>> {
        let error = match outcome {
            Outcome::Loaded(entry) => return Some(Ok(self.serve(entry))),
            Outcome::Found(entry, _) => {
                return (Some(entry.loaded_at()) >= floor).then(|| Ok(self.serve(entry)));
            }
            // An error of another type is not for this caller.
            Outcome::Failed(error) => LoadError::Load(error.downcast().ok()?),
            Outcome::Panicked(message) => LoadError::Panicked(message),
            Outcome::TimedOut => LoadError::Timeout,
            // Who began the read may have minded, or not.
            Outcome::Unread(error) if self.policy.minds_store_errors() => LoadError::Store(error),
            // The loader was left alone, so what stands in for it is the answer for all who wait.
            Outcome::Nothing if flight.loads && floor.is_none() && !self.is_thorough() => {
                return self.policy.loads.fallback.as_ref().map(|fallback| Ok(fallback(key)));
            }
            Outcome::Unread(_) | Outcome::Nothing | Outcome::Absent | Outcome::Abandoned => return None,
        };
        Some(self.instead(key, flight, floor, error))
    }

    /// What stands in for the value of a load that failed, or the error.
    fn instead<E>(
        &self,
        key: &K,
        flight: &Flight<K, V>,
        floor: Option<Time>,
        error: LoadError<E>,
    ) -> Result<V, LoadError<E>> {
        match &self.policy.loads.fallback {
            Some(fallback) if floor.is_none() && !self.is_thorough() && !flight.edits.lock().no_fallback => {
                Ok(fallback(key))
            }
            _ => Err(error),
        }
    }
}

/// Forgets the type of the error, which a flight shares between callers that may expect different ones.
pub(crate) async fn erased<V, E: Send + Sync + 'static>(
    loaded: impl Future<Output = Result<V, E>>,
) -> Loaded<V> {
    loaded.await.map_err(|error| Arc::new(error) as Arc<dyn Any + Send + Sync>)
}
