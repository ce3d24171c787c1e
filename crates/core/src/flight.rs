//! One load that is under way, and those who wait for it.

use crate::coherence::Coherence;
use crate::edits::Edits;
use crate::flights::Wanted;
use crate::running::Running;
use crate::sync::{AtomicBool, Mutex, OnceLock};
use crate::{Clock, Entry, Error, Freshness, Lookup, Time, cycle};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use tokio::sync::Notify;

/// A load that is under way. It ends once, with an outcome that everybody who waits gets.
pub(crate) struct Flight<K: ?Sized + Lookup, V> {
    /// Distinguishes the flights of a process, for [`cycle`](crate::cycle).
    pub(crate) id: u64,
    pub(crate) key: K::Owned,
    /// Whether it has a loader. One that has none is done sooner, and only it can be joined by who wants no load.
    pub(crate) loads: bool,
    /// When it was boarded, so no later than its load began.
    began: Time,
    /// What its leader wanted: nothing that was loaded before this.
    floor: Option<Time>,
    /// What its load says about its result.
    pub(crate) edits: Mutex<Edits>,
    /// The group that its cache belongs to.
    coherence: Coherence,
    /// The key as other processes know it, once its levels are asked.
    pub(crate) address: OnceLock<String>,
    /// The entry that its leader was served, and that the load is to replace.
    at_hand: OnceLock<Entry<V>>,
    /// An old entry that a lower level had: who waits is served it, while it may be, and the load goes on.
    interim: OnceLock<Held<V>>,
    /// An entry that is kept for failures: served if the load fails, or is late.
    fallback: OnceLock<Held<V>>,
    /// The soft time-out has passed: the fallback, if there is one, is served before the end.
    is_late: AtomicBool,
    /// The hard time-out has passed: nobody waits for the end.
    is_overdue: AtomicBool,
    outcome: OnceLock<Outcome<V>>,
    changed: Notify,
}

/// A number that no other load of the process has.
pub(crate) fn next_id() -> u64 {
    static IDS: AtomicU64 = AtomicU64::new(1);
    IDS.fetch_add(1, Relaxed)
}

/// An entry and the level that it was found at.
type Held<V> = (Entry<V>, usize);

/// How a flight ended.
#[derive(Clone)]
pub(crate) enum Outcome<V> {
    /// A value was loaded, and this goes with it.
    Loaded(Entry<V>),
    /// An entry was found, at this level.
    Found(Entry<V>, usize),
    /// The loader's error, which only callers with the same error type can read.
    Failed(Arc<dyn Any + Send + Sync>),
    /// The loader panicked.
    Panicked(Arc<str>),
    /// The load took too long.
    TimedOut,
    /// The lower levels had nothing, and there was no loader, or it was to be left alone.
    Nothing,
    /// The loader of many keys left this one out.
    Absent,
    /// A level failed, those that were asked had nothing, and nothing was loaded.
    Unread(Error),
    /// The future that ran it was dropped: a scoped caller was cancelled, or a runtime ended.
    Abandoned,
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Flight<K, V> {
    /// Makes a flight, which has a loader or only asks the lower levels.
    pub(crate) fn new(key: K::Owned, wanted: Wanted, coherence: &Coherence) -> Self {
        let Wanted { loads, now, floor } = wanted;
        Flight {
            id: next_id(),
            key,
            loads,
            began: now,
            floor,
            edits: Mutex::default(),
            coherence: coherence.clone(),
            address: OnceLock::new(),
            at_hand: OnceLock::new(),
            interim: OnceLock::new(),
            fallback: OnceLock::new(),
            is_late: AtomicBool::new(false),
            is_overdue: AtomicBool::new(false),
            outcome: OnceLock::new(),
            changed: Notify::new(),
        }
    }

    /// Whether it will do for a caller to whom a load that began before `floor` is of no use. One that was boarded at that
    /// very moment may have been there before, unless its leader wanted the same.
    pub(crate) fn is_late_enough(&self, floor: Option<Time>) -> bool {
        Some(self.began) > floor || self.floor >= floor
    }

    /// Returns what there is to be had without waiting: the outcome, or something old that may be served.
    pub(crate) fn so_far(&self, clock: &dyn Clock) -> Option<Outcome<V>> {
        let serve = |held: Option<&Held<V>>| held.map(|(entry, level)| Outcome::Found(entry.clone(), *level));
        let interim = || serve(self.interim(clock));
        match self.outcome.get() {
            // A load that failed does not take away what could be served while it ran.
            Some(outcome @ (Outcome::Failed(_) | Outcome::Panicked(_) | Outcome::TimedOut)) => {
                let instead = interim().or_else(|| serve(self.fallback(clock)));
                Some(instead.unwrap_or_else(|| outcome.clone()))
            }
            Some(outcome @ (Outcome::Nothing | Outcome::Unread(_) | Outcome::Abandoned)) => {
                Some(interim().unwrap_or_else(|| outcome.clone()))
            }
            Some(outcome @ (Outcome::Loaded(_) | Outcome::Found(..) | Outcome::Absent)) => {
                Some(outcome.clone())
            }
            None => interim().or_else(|| {
                let (late, overdue) = (self.is_late.load(SeqCst), self.is_overdue.load(SeqCst));
                let instead = if late || overdue { serve(self.fallback(clock)) } else { None };
                instead.or(overdue.then_some(Outcome::TimedOut))
            }),
        }
    }

    /// Waits for the end, or for something old that may be served. Dropping the wait changes nothing for the others.
    pub(crate) async fn wait(&self, clock: &dyn Clock) -> Outcome<V> {
        self.wait_until(|| self.so_far(clock)).await
    }

    /// Waits for the end, or until the hard time-out has passed; nothing old will do.
    pub(crate) async fn wait_for_new(&self) -> Outcome<V> {
        let overdue = || self.is_overdue.load(SeqCst).then_some(Outcome::TimedOut);
        self.wait_until(|| self.outcome.get().cloned().or_else(overdue)).await
    }

    /// Waits for the end, or for something old that may be served, however long a load takes.
    pub(crate) async fn wait_patiently(&self, clock: &dyn Clock) -> Outcome<V> {
        let to_be_had =
            || self.so_far(clock).filter(|_| self.outcome.get().is_some() || self.is_covered(clock));
        self.wait_until(to_be_had).await
    }

    async fn wait_until(&self, answer: impl Fn() -> Option<Outcome<V>> + Send + Sync) -> Outcome<V> {
        loop {
            // Counts from its creation, so a change between the check and the await is not missed.
            let changed = self.changed.notified();
            if let Some(outcome) = answer() {
                return outcome;
            }
            changed.await;
        }
    }

    /// Notes the entry that its leader has, which the load is to replace.
    pub(crate) fn replaces(&self, entry: Entry<V>) {
        let _ = self.at_hand.set(entry);
    }

    /// Serves `entry`, found at `level`, to all who wait, and to those who come while it may be served.
    pub(crate) fn serve_meanwhile(&self, entry: Entry<V>, level: usize) {
        if self.interim.set((entry, level)).is_ok() {
            self.tell();
        }
    }

    /// Keeps `entry`, found at `level`, for the case that the load fails or is late. The first one counts.
    pub(crate) fn fall_back_on(&self, entry: Entry<V>, level: usize) {
        // The first level is heard first; what another one has is newer only after a write that did not reach it.
        let _ = self.fallback.set((entry, level));
    }

    /// Notes that the soft time-out has passed. Returns whether that made a difference.
    pub(crate) fn is_now_late(&self, clock: &dyn Clock) -> bool {
        self.is_late.store(true, SeqCst);
        let serves = self.fallback(clock).is_some();
        if serves {
            self.tell();
        }
        serves
    }

    /// Notes that the hard time-out has passed.
    pub(crate) fn is_now_overdue(&self) {
        self.is_overdue.store(true, SeqCst);
        self.tell();
    }

    /// Wakes those who wait, for whom there is something now.
    fn tell(&self) {
        cycle::release(self.id);
        self.changed.notify_waiters();
    }

    fn interim(&self, clock: &dyn Clock) -> Option<&Held<V>> {
        self.interim
            .get()
            .filter(|(entry, _)| entry.freshness(clock.now()) <= Freshness::Stale && self.may_serve(entry))
    }

    /// Returns what is kept for the case that the load fails, if it may still be served.
    pub(crate) fn fallback(&self, clock: &dyn Clock) -> Option<&Held<V>> {
        if self.edits.lock().no_fallback {
            return None;
        }
        self.fallback
            .get()
            .filter(|(entry, _)| entry.freshness(clock.now()) <= Freshness::Kept && self.may_serve(entry))
    }

    /// Whether an old entry was not removed since it was found.
    pub(crate) fn may_serve(&self, entry: &Entry<V>) -> bool {
        !self.coherence.is_void(entry, self.address.get().map(String::as_str))
    }

    /// Returns the newest of the old entries that are known.
    pub(crate) fn previous(&self) -> Option<&Entry<V>> {
        let below = [&self.interim, &self.fallback].into_iter().filter_map(OnceLock::get);
        below.map(|(entry, _)| entry).chain(self.at_hand.get()).max_by_key(|entry| entry.loaded_at())
    }

    /// Whether there may be something in the levels that its load replaces: it was seen, or nobody looked.
    pub(crate) fn may_replace(&self) -> bool {
        self.floor.is_some() || self.previous().is_some()
    }

    /// Returns what is served even if the load fails now.
    pub(crate) fn cover(&self, clock: &dyn Clock) -> Option<Outcome<V>> {
        let held = self.interim(clock).or_else(|| self.fallback(clock))?;
        Some(Outcome::Found(held.0.clone(), held.1))
    }

    /// Whether something is served even if the load fails now.
    pub(crate) fn is_covered(&self, clock: &dyn Clock) -> bool {
        self.interim(clock).or_else(|| self.fallback(clock)).is_some()
    }

    /// Whether those who waited got something before the end, if only an error, so that nobody waits for that.
    pub(crate) fn has_answered(&self, clock: &dyn Clock) -> bool {
        self.interim.get().is_some() || (self.outcome.get().is_none() && self.so_far(clock).is_some())
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.outcome.get().is_some()
    }

    /// Ends the flight. Only the first end counts.
    pub(crate) fn end(&self, outcome: Outcome<V>) {
        if self.outcome.set(outcome).is_ok() {
            self.changed.notify_waiters();
        }
    }
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Running for Flight<K, V> {
    fn id(&self) -> u64 {
        self.id
    }
    fn edits(&self) -> &Mutex<Edits> {
        &self.edits
    }
    fn coherence(&self) -> &Coherence {
        &self.coherence
    }
    fn key(&self) -> &(dyn Any + Send + Sync) {
        &self.key
    }
    fn previous(&self) -> Option<&(dyn Any + Send + Sync)> {
        Flight::previous(self).map(|entry| entry as _)
    }
}
