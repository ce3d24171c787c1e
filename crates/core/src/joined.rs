//! How a caller waits for the load of another one.

use crate::flight::{Flight, Outcome};
use crate::holds::Holds;
use crate::in_time::in_time;
use crate::planted::{self, Bug};
use crate::{Cache, Entry, LoadError, Lookup, Time, cycle};
use std::future::Future;
use std::pin::pin;

/// What came of waiting with the others.
pub(crate) enum Joined<V, E> {
    Answer(Result<V, LoadError<E>>),
    /// There is nothing, so begin again.
    Nothing,
    /// The caller does not want to wait any longer.
    TooLong,
}

/// When a caller came, as to the flight that it joins.
#[derive(Clone, Copy)]
pub(crate) enum Came {
    /// Before that began: its outcome is the caller's, as it is its leader's. So who is refused by one flight is not by the
    /// next, even where nobody can say what was invalidated.
    Before,
    /// While it was under way. What it read, or loaded, may have been invalidated before the caller came.
    ///
    /// A copy in memory may be outdated for as long as the bound is. Where the level to be asked first does not look into
    /// memory, whoever asks it alone is told of all that was invalidated before, and who joins is not to learn less: then the
    /// log must have been asked since this moment.
    Midway(Option<Time>),
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Waits with the others.
    pub(crate) async fn join<E: Send + Sync + 'static>(
        &self,
        key: &K,
        flight: &Flight<K, V>,
        floor: Option<Time>,
        came: Came,
    ) -> Joined<V, E> {
        let takes_any = floor.is_none() && !self.is_patient() && self.is_reading();
        let so_far = || flight.so_far(&*self.inner.clock).filter(|_| takes_any);
        let mut outcome = match so_far() {
            Some(outcome) => Ok(outcome),
            None => self.wait_with(flight, floor, self.waits_until(), self.outcome(flight, floor)).await,
        };
        if let Ok(served) = &outcome
            && !flight.has_ended()
            && !self.will_do_for_joiner(key, served, came).await
        {
            // What it serves meanwhile is older than what it ends with.
            outcome = if self.call.as_ref().is_some_and(|call| call.max_wait.is_some()) {
                Err(Joined::TooLong)
            } else {
                self.wait_with(flight, floor, cycle::Until::TheEnd, flight.wait_for_new()).await
            };
        }
        match outcome {
            // It was read before the reads were paused.
            Ok(Outcome::Found(..)) if !self.is_reading() => {
                if flight.has_ended() {
                    Joined::Nothing
                } else {
                    Joined::TooLong
                }
            }
            Ok(outcome) if !self.will_do_for_joiner(key, &outcome, came).await => Joined::Nothing,
            Ok(outcome) => self.answer(key, flight, floor, outcome).map_or(Joined::Nothing, Joined::Answer),
            Err(joined) => joined,
        }
    }

    /// Waits for an outcome, at most for as long as the call wants to wait for others.
    async fn wait_with<E>(
        &self,
        flight: &Flight<K, V>,
        floor: Option<Time>,
        until: cycle::Until,
        outcome: impl Future<Output = Outcome<V>> + Send,
    ) -> Result<Outcome<V>, Joined<V, E>> {
        let clock = &*self.inner.clock;
        let Ok(_waiting) = cycle::wait_for(flight.id, until) else {
            return Err(Joined::Answer(Err(LoadError::Cycle)));
        };
        let Some(wait) = self.call.as_ref().and_then(|call| call.max_wait) else { return Ok(outcome.await) };
        if let Some(outcome) = in_time(clock, wait, pin!(outcome)).await {
            return Ok(outcome);
        }
        match flight.fallback(clock) {
            Some((entry, level)) if Some(entry.loaded_at()) >= floor => {
                Ok(Outcome::Found(entry.clone(), *level))
            }
            _ => Err(Joined::TooLong),
        }
    }

    /// Whether nothing of the value was invalidated before the caller came, as far as can be said.
    async fn will_do_for_joiner(&self, key: &K, outcome: &Outcome<V>, came: Came) -> bool {
        match outcome {
            _ if planted::is(Bug::JoinOld) => true,
            Outcome::Loaded(entry) | Outcome::Found(entry, _) => self.is_known_to(came, key, entry).await,
            _ => true,
        }
    }

    /// Whether what a flight gave will do for a caller that came so.
    pub(crate) async fn is_known_to(&self, came: Came, key: &K, entry: &Entry<V>) -> bool {
        let told_since = match came {
            Came::Before => return true,
            Came::Midway(told_since) => told_since,
        };
        let is_told = match told_since {
            Some(since) => self.inner.coherence.confirm_since(since).await.is_ok(),
            None => true,
        };
        is_told && self.is_confirmed(key, entry).await
    }

    /// How a caller comes that now joins a flight, whose first level to ask is `from`.
    pub(crate) fn comes_midway(&self, from: usize) -> Came {
        let asks_first = from == 0 && self.inner.coherence.shared().is_some();
        Came::Midway(asks_first.then(|| self.inner.clock.now_exact()))
    }

    /// What a call of this handle waits for.
    pub(crate) fn waits_until(&self) -> cycle::Until {
        let firmly = self.is_patient() || self.wants_new() || self.floor(true).is_some();
        if firmly { cycle::Until::TheEnd } else { cycle::Until::Served }
    }

    /// Whether it has no error to return, and waits for as long as a load takes.
    pub(crate) fn is_patient(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_patient)
    }

    /// Whether it takes nothing old for an answer.
    pub(crate) fn is_thorough(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_thorough)
    }

    /// Whether what was known before is no answer: to this call, or to any as long as reads are paused.
    pub(crate) fn wants_new(&self) -> bool {
        self.is_thorough() || !self.is_reading()
    }

    pub(crate) async fn outcome(&self, flight: &Flight<K, V>, floor: Option<Time>) -> Outcome<V> {
        let clock = &*self.inner.clock;
        if floor.is_some() || self.wants_new() {
            flight.wait_for_new().await
        } else if self.is_patient() {
            flight.wait_patiently(clock).await
        } else {
            flight.wait(clock).await
        }
    }
}
