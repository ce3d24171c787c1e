//! What a flight does: ask the lower levels, load, store, and tell those who wait.

use crate::event::{Event, LoadFailure};
use crate::flight::Outcome;
use crate::flights::{HoldsTurn, Lead, Visit};
use crate::holds::{Fetched, Gift, Holds};
use crate::life::Override;
use crate::policy::Plan;
use crate::spawn::{catch_panic, in_turn};
use crate::{Cache, Freshness, Lookup, Result, Time, cycle};
use std::any::Any;
use std::borrow::Borrow;
use std::future::Future;
use std::sync::Arc;

/// What a loader gave. Its error has lost its type, because each caller may have another.
pub(crate) type Loaded<V> = std::result::Result<V, Arc<dyn Any + Send + Sync>>;

/// The loader of a flight that has none.
pub(crate) type NoLoader<V> = fn() -> std::future::Ready<Loaded<V>>;

/// Where work runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// In a task of its own, which nothing cancels but the end of its runtime.
    Task,
    /// In the future of a caller, which may be dropped at any await.
    Caller,
}

/// Who is waiting for the flight from its beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Its leader.
    For,
    /// Nobody: a stale entry was served, and this is the reload.
    Not,
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Flies from level `from` on, to the end.
    pub(crate) async fn fly<F, Fut>(
        self,
        key: K::Owned,
        lead: Lead<K, V>,
        from: usize,
        waited: Waited,
        inside: Inside,
        load: Option<F>,
    ) where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Loaded<V>> + Send,
    {
        let route = self.route(key.borrow(), &lead, from, waited, inside, load);
        let outcome = catch_panic(cycle::within(lead.flight.id, route)).await.unwrap_or_else(|message| {
            self.load_failed(key.borrow(), waited, &lead, LoadFailure::Panic);
            Outcome::Panicked(message)
        });
        lead.end(outcome);
    }

    async fn route<F, Fut>(
        &self,
        key: &K,
        lead: &Lead<K, V>,
        from: usize,
        waited: Waited,
        inside: Inside,
        load: Option<F>,
    ) -> Outcome<V>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Loaded<V>> + Send,
    {
        if let Some(found) = self.fetch(key, from, waited).await {
            if found.freshness == Freshness::Fresh || (load.is_none() && found.is_hit()) {
                let outcome = Outcome::Found(found.entry.clone(), found.level);
                self.copy_up(&lead.visit, key, found, inside).await;
                return outcome;
            }
            if found.is_hit() {
                lead.flight.serve_meanwhile(found.entry, found.level);
            } else {
                lead.flight.fall_back_on(found.entry, found.level);
            }
        }
        let Some(load) = load else { return Outcome::Nothing };
        if let Some(outcome) = self.leave_alone(key, lead) {
            return outcome;
        }
        self.inner.counters.loads.add();
        if waited == Waited::Not || lead.flight.has_served() {
            self.inner.counters.reloads.add();
        }
        let loaded_at = self.inner.clock.now_exact();
        match load().await {
            Ok(value) => {
                self.inner.backoff.succeeded(key);
                // Failures of levels are reported, and a panic in what it is stored with is: the value goes to its
                // callers whatever becomes of the storing.
                let store = self.store(&lead.visit, key, &value, loaded_at, inside);
                if let Err(message) = catch_panic(store).await {
                    self.observers().tell(&Event::StoringPanicked { message: &message });
                }
                Outcome::Loaded(value)
            }
            Err(error) => {
                self.load_failed(key, waited, lead, LoadFailure::Error);
                Outcome::Failed(error)
            }
        }
    }

    /// Serves what a failing loader is to be spared for, if there is something and its time has not come.
    fn leave_alone(&self, key: &K, lead: &Lead<K, V>) -> Option<Outcome<V>> {
        let clock = &*self.inner.clock;
        if !lead.flight.is_covered(clock) || !self.inner.backoff.is_waiting(key, clock.now_exact()) {
            return None;
        }
        match lead.flight.fallback(clock) {
            Some((entry, level)) => Some(Outcome::Found(entry.clone(), *level)),
            // Those who waited have been served.
            None => Some(Outcome::Nothing),
        }
    }

    /// Counts the failure. Where its callers get something old instead, it is told, and the next try put off.
    fn load_failed(&self, key: &K, waited: Waited, lead: &Lead<K, V>, failure: LoadFailure) {
        self.inner.counters.load_failures.add();
        let clock = &*self.inner.clock;
        if waited == Waited::Not || lead.flight.is_covered(clock) {
            let delay = self.policy.delay(lead.flight.fallback(clock).is_some());
            self.inner.backoff.failed(key, clock.now_exact(), delay);
            self.inner.counters.covered.add();
            self.observers().tell(&Event::ReloadFailed { failure });
        }
    }

    /// Asks the levels from number `from` on. Counts what each did, unless that was for nobody: the read was
    /// answered, and counted, before.
    pub(crate) async fn fetch(&self, key: &K, from: usize, waited: Waited) -> Option<Fetched<V>> {
        let counters = &self.inner.counters;
        let depth = C::depth(&self.level);
        if from == depth {
            return None;
        }
        let found = C::fetch(&self.level, self.cx(), key, from).await;
        if waited == Waited::For {
            // What is only kept for failures answers no read.
            let hit = found.as_ref().filter(|found| found.is_hit());
            counters.missed(from, hit.map_or(depth, |hit| hit.level));
            if let Some(hit) = hit {
                let level = counters.level(hit.level);
                if hit.freshness == Freshness::Fresh { level.fresh.add() } else { level.stale.add() }
            }
        }
        found
    }

    /// Writes a loaded value when it is this visit's turn, unless it was overtaken.
    async fn store(&self, visit: &Visit<K, V>, key: &K, value: &V, loaded_at: Time, inside: Inside) {
        let now = self.inner.clock.now_exact();
        let plan = self.policy.plan(key, value, Override::default(), loaded_at, now);
        let _ = match inside {
            Inside::Task => {
                let turn = visit.turn().await;
                self.put_loaded(visit, turn, key, Gift::Lend(value), &plan).await
            }
            Inside::Caller => {
                // The visit keeps the key in the table, and with it the turn.
                let (cache, visit, key, value) = (self.clone(), visit.again(), key.to_owned(), value.clone());
                in_turn(visit.turn(), async move |turn| {
                    cache.put_loaded(&visit, turn, key.borrow(), Gift::Own(value), &plan).await
                })
                .await
            }
        };
    }

    async fn put_loaded(
        &self,
        visit: &Visit<K, V>,
        _turn: HoldsTurn,
        key: &K,
        value: Gift<'_, V>,
        plan: &Plan,
    ) -> Result<()> {
        if visit.is_overtaken() {
            self.inner.counters.overtaken.add();
            self.observers().tell(&Event::Overtaken);
            return Ok(());
        }
        self.keep_house(plan);
        let put = C::put(&self.level, self.cx(), key, value, plan).await;
        visit.note_written();
        put
    }

    /// Copies what was found at a lower level into the levels before it.
    ///
    /// A copy is worth no waiting: if the key is being written, what is written is newer anyway.
    pub(crate) async fn copy_up(&self, visit: &Visit<K, V>, key: &K, found: Fetched<V>, inside: Inside) {
        if found.level == 0 {
            return;
        }
        let plan = self.policy.promotion(key, &found.entry, found.level, self.inner.clock.now_exact());
        let Some(turn) = visit.try_turn() else { return };
        if visit.is_overtaken() || visit.is_outdated() {
            return;
        }
        self.keep_house(&plan);
        let value = found.entry.into_value();
        // A level that fails is reported, and the reader has its value.
        if inside == Inside::Task || !C::waits(&self.level, &plan) {
            let _ = C::put(&self.level, self.cx(), key, Gift::Own(value), &plan).await;
            return;
        }
        let (cache, visit, key) = (self.clone(), visit.again(), key.to_owned());
        let _ = in_turn(std::future::ready(turn), async move |turn| {
            let _held = (turn, visit);
            C::put(&cache.level, cache.cx(), key.borrow(), Gift::Own(value), &plan).await
        })
        .await;
    }
}
