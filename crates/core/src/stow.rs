//! How what was loaded, or found at a lower level, gets into the levels.

use crate::ahead::Ahead;
use crate::coherence::{Names, Since};
use crate::event::Event;
use crate::flights::{HoldsTurn, Lead, Visit};
use crate::fly::Inside;
use crate::holds::{Fetched, Gift, Holds, Stamp, Step};
use crate::planted::{self, Bug};
use crate::policy::Plan;
use crate::spawn::catch_panic;
use crate::terms::Terms;
use crate::{Cache, Entry, Lookup, Result, Time};
use std::borrow::Borrow;
use std::future::Future;
use std::pin::{Pin, pin};

/// The entry that is written first by this plan, for those who follow the key.
pub(crate) fn planned<V: Clone>(plan: &Plan, value: &V) -> Option<Entry<V>> {
    plan.iter().find_map(|step| match step {
        Step::Write(stamp) => Some(Entry::with_life(value.clone(), stamp.life, stamp.extra.clone())),
        Step::Leave | Step::Remove => None,
    })
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Writes a loaded value when it is this visit's turn, unless it was overtaken, or is not to be stored. Returns what
    /// goes with the value.
    pub(crate) async fn store(&self, lead: &Lead<K, V>, value: &V, since: Since, inside: Inside) -> Stamp {
        let (visit, key) = (&lead.visit, lead.flight.key.borrow());
        let now = self.inner.clock.now_exact();
        let terms = self.terms_of_load(lead, value, since, now);
        if lead.flight.edits.lock().no_store || !self.policy.loads.admits(value) {
            return Stamp::unstored(since, &terms);
        }
        let plan = self.policy.plan(key, value, &terms, since, now);
        let copy = visit.is_followed().then(|| {
            // Those who follow the key hold it however old it is.
            planned(&plan, value).unwrap_or_else(|| {
                let Stamp { life, extra } = Stamp::unstored(since, &terms);
                Entry::with_life(value.clone(), life, extra)
            })
        });
        let _ = match inside {
            Inside::Task => {
                let turn = match visit.try_turn() {
                    Some(turn) => turn,
                    None => Box::pin(visit.turn()).await,
                };
                self.put_loaded(visit, turn, key, Gift::Lend(value), (since, &plan, copy)).await
            }
            Inside::Caller => {
                // The visit keeps the key in the table, and with it the turn.
                let (cache, visit, key, value) = (self.clone(), visit.again(), key.to_owned(), value.clone());
                let plan = plan.clone();
                Box::pin(self.in_turn(visit.turn(), async move |turn| {
                    cache.put_loaded(&visit, turn, key.borrow(), Gift::Own(value), (since, &plan, copy)).await
                }))
                .await
            }
        };
        let written = plan.into_iter().find_map(|step| match step {
            Step::Write(stamp) => Some(stamp),
            Step::Leave | Step::Remove => None,
        });
        written.unwrap_or_else(|| Stamp::unstored(since, &terms))
    }

    /// What the load, and the call that began it, say about the entry.
    fn terms_of_load(&self, lead: &Lead<K, V>, value: &V, since: Since, now: Time) -> Terms {
        let edits = lead.flight.edits.lock().clone();
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
            terms.took = Some(now.since(since.at));
        }
        if !self.policy.loads.is_capped {
            terms.most = None;
        }
        self.policy.tagged(lead.flight.key.borrow(), value, terms)
    }

    pub(crate) async fn put_loaded(
        &self,
        visit: &Visit<K, V>,
        _turn: HoldsTurn,
        key: &K,
        value: Gift<'_, V>,
        (since, plan, copy): (Since, &Plan, Option<Entry<V>>),
    ) -> Result<()> {
        if visit.is_overtaken() || visit.is_outrun(since.at) || !self.is_plan_sound(key, plan) {
            self.inner.counters.overtaken.add();
            self.observers().tell(&Event::Overtaken);
            return Ok(());
        }
        let put = if self.is_writing() {
            self.keep_house(plan);
            let put = C::put(&self.level, self.cx_of(visit), key, value, plan).await;
            visit.note_written(since.at);
            put
        } else {
            Ok(())
        };
        if let Some(copy) = copy {
            visit.tell_followers(&copy);
        }
        put
    }

    /// Whether nothing of what is to be written was invalidated since it began.
    fn is_plan_sound(&self, key: &K, plan: &Plan) -> bool {
        let address = self.address(key);
        if planted::is(Bug::FillUnchecked) {
            let watches = plan.iter().filter_map(|step| match step {
                Step::Write(stamp) => stamp.extra.as_ref()?.watch.as_ref(),
                _ => None,
            });
            watches.for_each(|watch| watch.advance(self.inner.coherence.tick()));
            return true;
        }
        plan.iter().all(|step| match step {
            Step::Write(Stamp { extra: Some(extra), .. }) => {
                let names = Names { key: address.as_deref(), tags: &extra.tags };
                extra.watch.as_ref().is_none_or(|watch| self.inner.coherence.is_unmarked(watch, names))
            }
            _ => true,
        })
    }

    /// Copies what was found at a lower level, into the levels before it.
    ///
    /// A copy is worth no waiting: if the key is being written, what is written is newer anyway.
    pub(crate) async fn copy_up(&self, visit: &Visit<K, V>, key: &K, found: Fetched<V>, inside: Inside) {
        if found.level == 0 {
            return;
        }
        // The reader has its value, whatever code of the user (a ttl, a `Clone`) does in the copying.
        self.tell_panic(pin!(self.copy(visit, key, found, inside))).await;
    }

    /// Tells of a panic in code that a value is stored with, and goes on without what it would have returned.
    pub(crate) async fn tell_panic<T>(
        &self,
        storing: Pin<&mut (impl Future<Output = T> + Send)>,
    ) -> Option<T> {
        let stored = catch_panic(storing).await;
        stored.map_err(|message| self.observers().tell(&Event::StoringPanicked { message: &message })).ok()
    }

    async fn copy(&self, visit: &Visit<K, V>, key: &K, found: Fetched<V>, inside: Inside) {
        let now = self.inner.clock.now_exact();
        let plan = self.policy.promotion(key, &found.entry, found.level, now);
        let Some(turn) = visit.try_turn() else { return };
        if visit.is_overtaken()
            || visit.is_outdated()
            || !self.is_writing()
            || !self.is_plan_sound(key, &plan)
        {
            return;
        }
        self.keep_house(&plan);
        let value = found.entry.into_value();
        // A level that fails is reported, and the reader has its value.
        if inside == Inside::Task || !C::waits(&self.level, &plan) {
            let _ = C::put(&self.level, self.cx_of(visit), key, Gift::Own(value), &plan).await;
            return;
        }
        let (cache, visit, key) = (self.clone(), visit.again(), key.to_owned());
        let _ = Box::pin(self.in_turn(std::future::ready(turn), async move |turn| {
            let _turn = turn;
            C::put(&cache.level, cache.cx_of(&visit), key.borrow(), Gift::Own(value), &plan).await
        }))
        .await;
    }
}
