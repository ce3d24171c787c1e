//! One load that is under way, and those who wait for it.

use crate::{Clock, Entry, Freshness};
use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// A load that is under way. It ends once, with an outcome that everybody who waits gets.
pub(crate) struct Flight<V> {
    /// Distinguishes the flights of a process, for [`cycle`](crate::cycle).
    pub(crate) id: u64,
    /// A stale entry that a lower level had: who waits is served it, while it may be, and the load goes on.
    interim: OnceLock<Entry<V>>,
    outcome: OnceLock<Outcome<V>>,
    changed: Notify,
}

/// How a flight ended.
#[derive(Clone)]
pub(crate) enum Outcome<V> {
    /// With a value: loaded, or found at a lower level.
    Value(V),
    /// With the loader's error, which only callers with the same error type can read.
    Failed(Arc<dyn Any + Send + Sync>),
    /// The loader panicked.
    Panicked(Arc<str>),
    /// Without having called a loader: it only asked the lower levels, and they had nothing.
    Nothing,
    /// The future that ran it was dropped: a scoped caller was cancelled, or a runtime ended.
    Abandoned,
}

impl<V: Clone + Send + Sync> Flight<V> {
    pub(crate) fn new() -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Flight {
            id: IDS.fetch_add(1, Relaxed),
            interim: OnceLock::new(),
            outcome: OnceLock::new(),
            changed: Notify::new(),
        }
    }

    /// Waits for the end, or for a stale entry that may be served. Dropping the wait changes nothing
    /// for the others.
    pub(crate) async fn wait(&self, clock: &dyn Clock) -> Outcome<V> {
        loop {
            // Counts from its creation, so a change between the checks and the await is not missed.
            let changed = self.changed.notified();
            if let Some(outcome) = self.outcome.get() {
                return outcome.clone();
            }
            if let Some(entry) = self.interim.get()
                && entry.freshness(clock.now()) != Freshness::Dead
            {
                return Outcome::Value(entry.value().clone());
            }
            changed.await;
        }
    }

    /// Serves `entry` to all who wait, and to those who come while it is not dead.
    pub(crate) fn serve_meanwhile(&self, entry: Entry<V>) {
        if self.interim.set(entry).is_ok() {
            self.changed.notify_waiters();
        }
    }

    /// Ends the flight. Only the first end counts.
    pub(crate) fn end(&self, outcome: Outcome<V>) {
        if self.outcome.set(outcome).is_ok() {
            self.changed.notify_waiters();
        }
    }
}
