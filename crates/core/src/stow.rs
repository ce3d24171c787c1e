//! How what was loaded, or found at a lower level, gets into the levels.

use crate::ahead::Ahead;
use crate::event::Event;
use crate::flights::{HoldsTurn, Lead, Visit};
use crate::fly::Inside;
use crate::holds::{Fetched, Gift, Holds};
use crate::policy::Plan;
use crate::spawn::{catch_panic, in_turn};
use crate::terms::Terms;
use crate::{Cache, Lookup, Result, Time};
use std::borrow::Borrow;
use std::future::Future;
use std::pin::{Pin, pin};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Writes a loaded value when it is this visit's turn, unless it was overtaken, or is not to be stored.
    pub(crate) async fn store(&self, lead: &Lead<K, V>, value: &V, loaded_at: Time, inside: Inside) {
        let (visit, key) = (&lead.visit, lead.flight.key.borrow());
        let now = self.inner.clock.now_exact();
        let Some(terms) = self.terms_of_load(lead, value, loaded_at, now) else { return };
        let plan = self.policy.plan(key, value, &terms, loaded_at, now);
        let _ = match inside {
            Inside::Task => {
                let turn = match visit.try_turn() {
                    Some(turn) => turn,
                    None => Box::pin(visit.turn()).await,
                };
                self.put_loaded(visit, turn, key, Gift::Lend(value), (loaded_at, &plan)).await
            }
            Inside::Caller => {
                // The visit keeps the key in the table, and with it the turn.
                let (cache, visit, key, value) = (self.clone(), visit.again(), key.to_owned(), value.clone());
                Box::pin(in_turn(visit.turn(), async move |turn| {
                    cache.put_loaded(&visit, turn, key.borrow(), Gift::Own(value), (loaded_at, &plan)).await
                }))
                .await
            }
        };
    }

    /// What the load, and the call that began it, say about the entry; `None` where it is not to be stored.
    fn terms_of_load(&self, lead: &Lead<K, V>, value: &V, loaded_at: Time, now: Time) -> Option<Terms> {
        let edits = lead.flight.edits.lock().clone();
        if edits.no_store || !self.policy.loads.admits(value) {
            return None;
        }
        let mut terms = edits.terms.or(&self.terms());
        if edits.not_modified
            && let Some(previous) = lead.flight.previous()
        {
            let came_with_it = Terms {
                tags: previous.tags().to_vec(),
                etag: previous.etag().map(Into::into),
                last_modified: previous.last_modified(),
                ..Terms::default()
            };
            terms = terms.or(&came_with_it);
        }
        if let Some(Ahead::Early(_)) = self.policy.loads.ahead {
            terms.took = Some(now.since(loaded_at));
        }
        Some(terms)
    }

    async fn put_loaded(
        &self,
        visit: &Visit<K, V>,
        _turn: HoldsTurn,
        key: &K,
        value: Gift<'_, V>,
        (loaded_at, plan): (Time, &Plan),
    ) -> Result<()> {
        if visit.is_overtaken() || visit.is_outrun(loaded_at) {
            self.inner.counters.overtaken.add();
            self.observers().tell(&Event::Overtaken);
            return Ok(());
        }
        self.keep_house(plan);
        let put = C::put(&self.level, self.cx(), key, value, plan).await;
        visit.note_written(loaded_at);
        put
    }

    /// Copies what was found at a lower level into the levels before it.
    ///
    /// A copy is worth no waiting: if the key is being written, what is written is newer anyway.
    pub(crate) async fn copy_up(&self, visit: &Visit<K, V>, key: &K, found: Fetched<V>, inside: Inside) {
        if found.level == 0 {
            return;
        }
        // The reader has its value, whatever code of the user (a ttl, a `Clone`) does in the copying.
        self.tell_panic(pin!(self.copy(visit, key, found, inside))).await;
    }

    /// Tells of a panic in code that a value is stored with, and goes on.
    pub(crate) async fn tell_panic(&self, storing: Pin<&mut (impl Future<Output = ()> + Send)>) {
        if let Err(message) = catch_panic(storing).await {
            self.observers().tell(&Event::StoringPanicked { message: &message });
        }
    }

    async fn copy(&self, visit: &Visit<K, V>, key: &K, found: Fetched<V>, inside: Inside) {
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
        let _ = Box::pin(in_turn(std::future::ready(turn), async move |turn| {
            let _held = (turn, visit);
            C::put(&cache.level, cache.cx(), key.borrow(), Gift::Own(value), &plan).await
        }))
        .await;
    }
}
