//! One load that is under way, and those who wait for it.

use crate::{Clock, Entry, Error, Freshness, cycle};
use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// A load that is under way. It ends once, with an outcome that everybody who waits gets.
pub(crate) struct Flight<V> {
    /// Distinguishes the flights of a process, for [`cycle`](crate::cycle).
    pub(crate) id: u64,
    /// Whether it has a loader. One that has none is done sooner, and only it can be joined by who wants no load.
    pub(crate) loads: bool,
    /// A stale entry that a lower level had: who waits is served it, while it may be, and the load goes on.
    interim: OnceLock<(Entry<V>, usize)>,
    /// An entry that is kept for failures: served if the load fails.
    fallback: OnceLock<(Entry<V>, usize)>,
    outcome: OnceLock<Outcome<V>>,
    changed: Notify,
}

/// How a flight ended.
#[derive(Clone)]
pub(crate) enum Outcome<V> {
    /// A value was loaded.
    Loaded(V),
    /// An entry was found, at this level.
    Found(Entry<V>, usize),
    /// The loader's error, which only callers with the same error type can read.
    Failed(Arc<dyn Any + Send + Sync>),
    /// The loader panicked.
    Panicked(Arc<str>),
    /// The lower levels had nothing, and there was no loader.
    Nothing,
    /// A level failed, those that were asked had nothing, and nothing was loaded.
    Unread(Error),
    /// The future that ran it was dropped: a scoped caller was cancelled, or a runtime ended.
    Abandoned,
}

impl<V: Clone + Send + Sync> Flight<V> {
    /// Makes a flight, which has a loader or only asks the lower levels.
    pub(crate) fn new(loads: bool) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Flight {
            id: IDS.fetch_add(1, Relaxed),
            loads,
            interim: OnceLock::new(),
            fallback: OnceLock::new(),
            outcome: OnceLock::new(),
            changed: Notify::new(),
        }
    }

    /// Returns what there is to be had without waiting: the outcome, or a stale entry that may be served.
    pub(crate) fn so_far(&self, clock: &dyn Clock) -> Option<Outcome<V>> {
        let outcome = self.outcome.get();
        let serve = |held: Option<&(Entry<V>, usize)>| {
            held.map(|(entry, level)| Outcome::Found(entry.clone(), *level))
        };
        let interim = || serve(self.interim(clock));
        match outcome {
            // A load that failed does not take away what could be served while it ran.
            Some(outcome @ (Outcome::Failed(_) | Outcome::Panicked(_))) => {
                let instead = interim().or_else(|| serve(self.fallback(clock)));
                Some(instead.unwrap_or_else(|| outcome.clone()))
            }
            Some(outcome @ (Outcome::Nothing | Outcome::Unread(_) | Outcome::Abandoned)) => {
                Some(interim().unwrap_or_else(|| outcome.clone()))
            }
            Some(outcome @ (Outcome::Loaded(_) | Outcome::Found(..))) => Some(outcome.clone()),
            None => interim(),
        }
    }

    /// Waits for the end, or for a stale entry that may be served. Dropping the wait changes nothing for the
    /// others.
    pub(crate) async fn wait(&self, clock: &dyn Clock) -> Outcome<V> {
        loop {
            // Counts from its creation, so a change between the check and the await is not missed.
            let changed = self.changed.notified();
            if let Some(outcome) = self.so_far(clock) {
                return outcome;
            }
            changed.await;
        }
    }

    /// Serves `entry`, found at `level`, to all who wait, and to those who come while it is not dead.
    pub(crate) fn serve_meanwhile(&self, entry: Entry<V>, level: usize) {
        if self.interim.set((entry, level)).is_ok() {
            cycle::release(self.id);
            self.changed.notify_waiters();
        }
    }

    /// Keeps `entry`, found at `level`, for the case that the load fails. The first one counts.
    pub(crate) fn fall_back_on(&self, entry: Entry<V>, level: usize) {
        // The first level is heard first; what another one has is newer only after a write that did not reach it.
        let _ = self.fallback.set((entry, level));
    }

    fn interim(&self, clock: &dyn Clock) -> Option<&(Entry<V>, usize)> {
        self.interim.get().filter(|(entry, _)| entry.freshness(clock.now()) <= Freshness::Stale)
    }

    /// Returns what is kept for the case that the load fails, if it may still be served.
    pub(crate) fn fallback(&self, clock: &dyn Clock) -> Option<&(Entry<V>, usize)> {
        self.fallback.get().filter(|(entry, _)| entry.freshness(clock.now()) <= Freshness::Kept)
    }

    /// Whether something is served even if the load fails now.
    pub(crate) fn is_covered(&self, clock: &dyn Clock) -> bool {
        self.interim(clock).or_else(|| self.fallback(clock)).is_some()
    }

    /// Whether something was served before the end, so that nobody waits for that.
    pub(crate) fn has_served(&self) -> bool {
        self.interim.get().is_some()
    }

    /// Ends the flight. Only the first end counts.
    pub(crate) fn end(&self, outcome: Outcome<V>) {
        if self.outcome.set(outcome).is_ok() {
            self.changed.notify_waiters();
        }
    }
}
