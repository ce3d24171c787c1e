//! What a flight does: ask the lower levels, load, store, and tell those who wait.

use crate::event::Event;
use crate::flight::Outcome;
use crate::flights::{Lead, Visit};
use crate::holds::{Fetched, Gift, Holds};
use crate::life::Override;
use crate::policy::Plan;
use crate::spawn::{catch_panic, detached};
use crate::{Cache, Freshness, Lookup, Result, cycle};
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
    /// Flies from level `from` on, to the end, and returns how it ended.
    pub(crate) async fn fly<F, Fut>(
        self,
        key: K::Owned,
        lead: Lead<K, V>,
        from: usize,
        waited: Waited,
        inside: Inside,
        load: Option<F>,
    ) -> Outcome<V>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Loaded<V>> + Send,
    {
        let route = self.route(key.borrow(), &lead, from, waited, inside, load);
        let outcome = match catch_panic(cycle::within(lead.flight.id, route)).await {
            Ok(outcome) => outcome,
            Err(message) => {
                self.load_failed(waited, "panic");
                Outcome::Panicked(message)
            }
        };
        lead.end(outcome.clone());
        outcome
    }

    async fn route<F, Fut>(
        &self,
        key: &K,
        lead: &Lead<K, V>,
        from: usize,
        mut waited: Waited,
        inside: Inside,
        load: Option<F>,
    ) -> Outcome<V>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Loaded<V>> + Send,
    {
        if let Some(found) = self.fetch(key, from).await {
            let value = found.entry.value().clone();
            if found.freshness == Freshness::Fresh {
                self.promote(&lead.visit, key, found, inside).await;
                return Outcome::Value(value);
            }
            lead.flight.serve_meanwhile(found.entry);
            waited = Waited::Not;
        }
        let Some(load) = load else { return Outcome::Nothing };
        self.inner.counters.loads.add();
        if waited == Waited::Not {
            self.inner.counters.reloads.add();
        }
        let loaded_at = self.inner.clock.now_exact();
        match load().await {
            Ok(value) => {
                let plan = self.policy.plan(key, &value, Override::default(), loaded_at);
                // Failures were reported; the value goes to its callers whatever the stores do.
                let _ = self.write(&lead.visit, key, Gift::Lend(&value), &plan, inside).await;
                Outcome::Value(value)
            }
            Err(error) => {
                self.load_failed(waited, "error");
                Outcome::Failed(error)
            }
        }
    }

    fn load_failed(&self, waited: Waited, outcome: &'static str) {
        self.inner.counters.load_failures.add();
        if waited == Waited::Not {
            self.observers().tell(&Event::ReloadFailed { outcome });
        }
    }

    /// Asks the levels from number `from` on, and counts what each did.
    pub(crate) async fn fetch(&self, key: &K, from: usize) -> Option<Fetched<V>> {
        let counters = &self.inner.counters;
        let depth = C::depth(&self.level);
        if from == depth {
            return None;
        }
        let found = C::fetch(&self.level, self.cx(), key, from).await;
        counters.missed(from, found.as_ref().map_or(depth, |found| found.level));
        if let Some(found) = &found {
            let level = counters.level(found.level);
            match found.freshness {
                Freshness::Fresh => level.fresh.add(),
                _ => level.stale.add(),
            }
        }
        found
    }

    /// Copies what was found at a lower level into the levels before it.
    pub(crate) async fn promote(&self, visit: &Visit<K, V>, key: &K, found: Fetched<V>, inside: Inside) {
        let plan = self.policy.promotion(key, &found.entry, found.level, self.inner.clock.now_exact());
        // A level that fails was reported, and the reader has its value.
        let _ = self.write(visit, key, Gift::Own(found.entry.into_value()), &plan, inside).await;
    }

    /// Carries out `plan` when it is this visit's turn, unless it was overtaken.
    async fn write(
        &self,
        visit: &Visit<K, V>,
        key: &K,
        value: Gift<'_, V>,
        plan: &Plan,
        inside: Inside,
    ) -> Result<()> {
        // Taken here and not in the task below: a write that is dropped while it waits must not come after
        // later ones.
        let turn = visit.turn().await;
        if visit.is_overtaken() {
            self.inner.counters.overtaken.add();
            self.observers().tell(&Event::Overtaken);
            return Ok(());
        }
        self.keep_house(plan);
        if inside == Inside::Task || !C::waits(&self.level, plan) {
            return C::put(&self.level, self.cx(), key, value, plan).await;
        }
        let (cache, key, value, plan) = (self.clone(), key.to_owned(), value.keep(), plan.clone());
        // The visit keeps the key in the table, and with it the turn that is held.
        let visit = visit.again();
        detached(async move {
            let _held = (turn, visit);
            C::put(&cache.level, cache.cx(), key.borrow(), Gift::Own(value), &plan).await
        })
        .await
    }
}
