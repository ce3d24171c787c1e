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

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Waits with the others. Where `told_since` says so, what the log was last asked for before then is not enough to
    /// answer by.
    pub(crate) async fn join<E: Send + Sync + 'static>(
        &self,
        key: &K,
        flight: &Flight<K, V>,
        floor: Option<Time>,
        told_since: Option<Time>,
    ) -> Joined<V, E> {
        let takes_old = floor.is_none() && !self.is_patient() && !self.is_thorough();
        let so_far = || flight.so_far(&*self.inner.clock).filter(|_| takes_old);
        let mut outcome = match so_far() {
            Some(outcome) => Ok(outcome),
            None => self.wait_with(flight, floor, self.waits_until(), self.outcome(flight, floor)).await,
        };
        // Its load may have begun before an invalidation that came before this call. What it serves meanwhile is older than
        // what it ends with.
        if let Ok(served) = &outcome
            && !flight.has_ended()
            && !self.will_do_for_joiner(key, served, told_since).await
        {
            outcome = self.wait_with(flight, floor, cycle::Until::TheEnd, flight.wait_for_new()).await;
        }
        match outcome {
            Ok(outcome) if !self.will_do_for_joiner(key, &outcome, told_since).await => Joined::Nothing,
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

    /// Whether nothing of the value was invalidated since its load began, as far as can be said.
    async fn will_do_for_joiner(&self, key: &K, outcome: &Outcome<V>, told_since: Option<Time>) -> bool {
        match outcome {
            _ if planted::is(Bug::JoinOld) => true,
            Outcome::Loaded(entry) | Outcome::Found(entry, _) => {
                self.is_confirmed_since(told_since, key, entry).await
            }
            _ => true,
        }
    }

    /// As [`is_confirmed`](Self::is_confirmed), by what the log was asked for after `told_since`, if that is a time.
    pub(crate) async fn is_confirmed_since(
        &self,
        told_since: Option<Time>,
        key: &K,
        entry: &Entry<V>,
    ) -> bool {
        let is_told = match told_since {
            Some(came) => self.inner.coherence.confirm_since(came).await.is_ok(),
            None => true,
        };
        is_told && self.is_confirmed(key, entry).await
    }

    /// Since when a caller that now joins others must have been told of invalidations. Copies in memory may be outdated for
    /// as long as the bound is. Where the level to be asked first is no memory, whoever asks it alone is told of all that
    /// was invalidated before, and who joins is not to learn less: the flight may have asked long ago.
    pub(crate) fn must_be_told_since(&self, from: usize) -> Option<Time> {
        let asks_first = from == 0 && self.inner.coherence.shared().is_some();
        asks_first.then(|| self.inner.clock.now_exact())
    }

    /// What a call of this handle waits for.
    pub(crate) fn waits_until(&self) -> cycle::Until {
        let firmly = self.is_patient() || self.is_thorough() || self.floor(true).is_some();
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

    pub(crate) async fn outcome(&self, flight: &Flight<K, V>, floor: Option<Time>) -> Outcome<V> {
        let clock = &*self.inner.clock;
        if floor.is_some() || self.is_thorough() {
            flight.wait_for_new().await
        } else if self.is_patient() {
            flight.wait_patiently(clock).await
        } else {
            flight.wait(clock).await
        }
    }
}
