//! What a flight does: ask the lower levels, load, store, and tell those who wait.

use crate::coherence::Since;
use crate::dependencies::Capped;
use crate::event::{Event, LoadFailure};
use crate::failures::Delay;
use crate::flight::{Flight, Outcome};
use crate::flights::Lead;
use crate::holds::{Cx, Fetched, Holds, Stamp, Unread};
use crate::load_context::LoadContext;
use crate::load_lock::Claim;
use crate::planted::{self, Bug};
use crate::spawn::catch_panic;
use crate::{Cache, Entry, Error, Freshness, Lookup, Time, running};
use std::any::{Any, TypeId};
use std::borrow::Borrow;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What a loader gave. Its error has lost its type, because each caller may have another.
pub(crate) type Loaded<V> = std::result::Result<V, Arc<dyn Any + Send + Sync>>;

/// The error of a key that the loader of many keys left out: that is no failure.
pub(crate) struct Absent;

/// The loader of a flight that has none.
pub(crate) type NoLoader<K, V> = fn(LoadContext<K, V>) -> std::future::Ready<Loaded<V>>;

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
    /// Nobody: an old entry was served, and this is the reload.
    Not,
}

/// What a flight is to do.
#[derive(Clone, Copy)]
pub(crate) struct Trip {
    /// The first level to ask.
    pub(crate) from: usize,
    pub(crate) waited: Waited,
    /// What was loaded before this will not do.
    pub(crate) floor: Option<Time>,
    /// The type of the error that its leader expects, if that waits for a load.
    pub(crate) expects: Option<TypeId>,
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Flies to the end.
    pub(crate) async fn fly<F, Fut>(self, lead: Lead<K, V>, trip: Trip, inside: Inside, load: Option<F>)
    where
        F: FnOnce(LoadContext<K, V>) -> Fut + Send,
        Fut: Future<Output = Loaded<V>> + Send,
    {
        let flight = Arc::clone(&lead.flight);
        let flown = {
            let route = pin!(running::within(flight, self.route(&lead, trip, inside, load)));
            catch_panic(route).await
        };
        let outcome = flown.unwrap_or_else(|message| {
            self.load_failed(&lead, trip, LoadFailure::Panic, None);
            Outcome::Panicked(message)
        });
        lead.end(outcome);
    }

    async fn route<F, Fut>(
        &self,
        lead: &Lead<K, V>,
        trip: Trip,
        inside: Inside,
        load: Option<F>,
    ) -> Outcome<V>
    where
        F: FnOnce(LoadContext<K, V>) -> Fut + Send,
        Fut: Future<Output = Loaded<V>> + Send,
    {
        let (flight, clock) = (&lead.flight, &*self.inner.clock);
        let key = flight.key.borrow();
        if let Some(address) = self.address(key) {
            let _ = flight.address.set(address);
        }
        let cx = Cx { loads: load.is_some(), ..self.cx_of(&lead.visit) };
        let (found, failure) = self.fetch(key, trip.from, trip.waited, trip.floor, cx).await;
        if let Some(found) = found {
            if self.will_do(flight, &found, trip.floor, load.is_some()) {
                return self.take(lead, found, inside).await;
            }
            if found.is_hit() {
                flight.serve_meanwhile(found.entry, found.level);
            } else {
                flight.fall_back_on(found.entry, found.level);
            }
        }
        let Some(load) = load else { return failure.map_or(Outcome::Nothing, Outcome::Unread) };
        if let Some(error) = failure.filter(|_| self.policy.minds_store_errors()) {
            return Outcome::Unread(error);
        }
        if let Some(outcome) = self.leave_alone(key, lead, trip) {
            return outcome;
        }
        let _told = self.policy.loads.is_capped.then(Capped::begin);
        let gained = {
            let gain = pin!(async {
                let lease = match self.claim(lead, trip).await {
                    Claim::Load(lease) => lease,
                    Claim::Elsewhere(found) => return Err(found),
                };
                self.inner.counters.loads.add();
                if trip.waited == Waited::Not || flight.has_answered(clock) {
                    self.inner.counters.reloads.add();
                }
                self.inner.coherence.begin().await;
                let since = self.inner.coherence.since(clock.now_exact());
                let load = pin!(load(LoadContext::new(Arc::clone(flight))));
                let loaded = match &lease {
                    Some(lease) => lease.hold(|event| self.observers().tell(event), load).await,
                    None => load.await,
                };
                Ok((loaded, since, lease))
            });
            self.watch(lead, gain).await
        };
        let Some(gained) = gained else {
            self.load_failed(lead, trip, LoadFailure::TimedOut, None);
            return Outcome::TimedOut;
        };
        let (loaded, since, lease) = match gained {
            Ok(loaded) => loaded,
            Err(found) => return self.take(lead, found, inside).await,
        };
        match loaded {
            Ok(value) => {
                let since = if planted::is(Bug::StampAtCompletion) {
                    self.inner.coherence.since(since.at)
                } else {
                    since
                };
                self.inner.failures.forget(key);
                // Failures of levels are reported, and a panic in what it is stored with is: the value goes to its
                // callers whatever becomes of the storing.
                let stored = self.tell_panic(pin!(self.store(lead, &value, since, inside))).await;
                if let Some(lease) = lease {
                    // Others find the value from now on.
                    lease.release().await;
                }
                let Stamp { life, extra } =
                    stored.unwrap_or_else(|| Stamp::unstored(since, &flight.edits.lock().terms));
                Outcome::Loaded(Entry::with_life(value, life, extra))
            }
            Err(error) if (*error).is::<Absent>() => {
                self.inner.failures.forget(key);
                Outcome::Absent
            }
            Err(error) => {
                self.load_failed(lead, trip, LoadFailure::Error, Some((&error, since)));
                Outcome::Failed(error)
            }
        }
    }

    /// Has the levels in front keep what was found, which is the answer.
    async fn take(&self, lead: &Lead<K, V>, found: Fetched<V>, inside: Inside) -> Outcome<V> {
        let outcome = Outcome::Found(found.entry.clone(), found.level);
        lead.visit.tell_followers(&found.entry);
        self.copy_up(&lead.visit, lead.flight.key.borrow(), found, inside).await;
        outcome
    }

    /// Whether what was found at a lower level is the answer. What is older than what a level in front has is not, as where
    /// a write did not reach the lower one. What is old, or to be reloaded, is not if there is a
    /// loader, unless that is to be left alone.
    pub(crate) fn will_do(
        &self,
        flight: &Flight<K, V>,
        found: &Fetched<V>,
        floor: Option<Time>,
        has_loader: bool,
    ) -> bool {
        let key = flight.key.borrow();
        if !found.is_hit()
            || Some(found.entry.loaded_at()) < floor
            || is_older(&found.entry, flight.previous())
        {
            return false;
        }
        let now = self.inner.clock.now_exact();
        let fresh = found.freshness == Freshness::Fresh;
        let due = || self.policy.is_due(&found.entry, now) && !self.inner.failures.is_waiting(key, now);
        !has_loader || (fresh && !due())
    }

    /// Serves what a failing loader is to be spared for, if there is something and its time has not come.
    /// Where there is nothing, that may be an error which is remembered.
    fn leave_alone(&self, key: &K, lead: &Lead<K, V>, trip: Trip) -> Option<Outcome<V>> {
        if trip.floor.is_some() || self.wants_new() {
            return None;
        }
        let (clock, failures) = (&*self.inner.clock, &self.inner.failures);
        let is_covered = lead.flight.is_covered(clock);
        if let Some(expected) = trip.expects.filter(|_| !is_covered)
            && let Some(error) = failures.remembered(key, clock.now_exact(), expected)
        {
            self.inner.counters.remembered.add();
            return Some(Outcome::Failed(error));
        }
        let spared = is_covered || self.policy.loads.fallback.is_some();
        if !spared || !failures.is_waiting(key, clock.now_exact()) {
            return None;
        }
        // Looked at once: it may end at any moment, and then there is nothing to spare the loader for.
        match lead.flight.cover(clock) {
            Some(found) => Some(found),
            // Those who wait have a value of their own to fall back on.
            None if self.policy.loads.fallback.is_some() => Some(Outcome::Nothing),
            None => None,
        }
    }

    /// Counts the failure. Where its callers get something old instead, the next try is put off; where nobody waits for
    /// it, it is told; and else it may be remembered.
    fn load_failed(
        &self,
        lead: &Lead<K, V>,
        trip: Trip,
        failure: LoadFailure,
        error: Option<(&Arc<dyn Any + Send + Sync>, Since)>,
    ) {
        let (flight, clock, rules) = (&lead.flight, &*self.inner.clock, &self.policy.loads);
        let (key, now) = (flight.key.borrow(), clock.now_exact());
        self.inner.counters.load_failures.add();
        let (no_fallback, retry_after) = {
            let edits = flight.edits.lock();
            (edits.no_fallback, edits.retry_after)
        };
        let stands_in = rules.fallback.is_some() && !no_fallback;
        let instead = trip.waited == Waited::Not || flight.is_covered(clock) || stands_in;
        // Who wanted a new value gets the error, whatever there is for the others.
        let covered = instead && (trip.waited == Waited::Not || trip.floor.is_none());
        if instead {
            let usual = || self.policy.delay(flight.fallback(clock).is_some() || stands_in);
            let delay = retry_after.map_or_else(usual, |delay| Delay { first: delay, most: delay });
            lead.visit.unless_overtaken(|| self.inner.failures.failed(key, now, delay));
        } else if let Some((error, since)) = error
            && self.is_writing()
            && let Some(ttl) = rules.remember(&**error)
        {
            let tagged = flight.edits.lock().terms.tagged(&self.inner.coherence, since);
            let remember = || self.inner.failures.remember(key, Arc::clone(error), now.after(ttl), tagged);
            lead.visit.unless_overtaken(remember);
        }
        if covered {
            self.inner.counters.covered.add();
        }
        if covered || flight.has_answered(clock) {
            self.observers().tell(&Event::ReloadFailed { failure });
        }
    }

    /// Asks the levels from number `from` on. Counts what each did, unless that was for nobody: the read was
    /// answered, and counted, before. Returns the first failure of a level beside what was found.
    pub(crate) async fn fetch(
        &self,
        key: &K,
        from: usize,
        waited: Waited,
        floor: Option<Time>,
        cx: Cx<'_>,
    ) -> (Option<Fetched<V>>, Option<Error>) {
        let counters = &self.inner.counters;
        let depth = C::depth(&self.level);
        if from == depth {
            return (None, None);
        }
        let unread = Unread { error: OnceLock::new(), is_the_end: self.policy.minds_store_errors() };
        let address = self.address(key);
        // Where nothing will be written, nothing is prepared for it in the store.
        let tokens = cx.tokens.filter(|_| self.is_writing());
        let cx = Cx { unread: Some(&unread), floor, address: address.as_deref(), tokens, ..cx };
        let found = C::fetch(&self.level, cx, key, from).await;
        if waited == Waited::For {
            // What is only kept for failures answers no read.
            let hit = found.as_ref().filter(|found| found.is_hit());
            counters.missed(from, hit.map_or(depth, |hit| hit.level));
            if let Some(hit) = hit {
                let level = counters.level(hit.level);
                if hit.freshness == Freshness::Fresh { level.fresh.add() } else { level.stale.add() }
            }
        }
        (found, unread.error.into_inner())
    }
}

/// Whether the load of `entry` began before that of `previous`. Times that travelled are rounded to milliseconds.
fn is_older<V>(entry: &Entry<V>, previous: Option<&Entry<V>>) -> bool {
    let rounding = Duration::from_millis(2);
    previous.is_some_and(|previous| entry.loaded_at().after(rounding) < previous.loaded_at())
}
