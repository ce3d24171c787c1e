//! What happened in a cache that its callers were not told.

use crate::counters::LevelCounters;
use crate::{BreakerState, Error, ErrorKind};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Something that a cache did, or that happened to it, beside answering its callers.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A level failed, or held bytes that could not be used. The operation went on without it.
    #[non_exhaustive]
    LevelFailed {
        /// The level, such as `L2 Object`.
        level: &'a str,
        /// What was being done there.
        operation: Operation,
        /// What went wrong. A value that cannot be decoded is [`ErrorKind::Codec`](crate::ErrorKind::Codec)
        /// or [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt).
        error: &'a Error,
    },
    /// The breaker of a level opened, let a probe through, or closed. While it is open, calls leave the level out
    /// without an event each: [`LevelStats::skipped`](crate::LevelStats::skipped) counts them.
    #[non_exhaustive]
    BreakerChanged {
        /// The level, such as `L2 Object`.
        level: &'a str,
        /// What the breaker lets through from now on.
        state: BreakerState,
    },
    /// A load gave no value, and nobody waited for that any more: an old value was served instead, or those who waited
    /// had been given up to a time-out.
    #[non_exhaustive]
    ReloadFailed {
        /// What became of it. The loader's error itself belongs to a type that the cache does not know.
        failure: LoadFailure,
    },
    /// A load takes longer than a limit allows, and what it was to those who wait for it has changed.
    #[non_exhaustive]
    LoadOverdue {
        /// Which limit.
        limit: Limit,
        /// How long after the load began.
        after: Duration,
    },
    /// A value was loaded, or found at a lower level, and went to its callers, but could not be stored: code that it is stored with (a ttl, a
    /// codec, a `Clone`) panicked.
    #[non_exhaustive]
    StoringPanicked {
        /// The panic's message.
        message: &'a str,
    },
    /// A value that was queued by [`Behind`](crate::Behind) will not be written to its level: every try failed, or the
    /// runtime ended with the last handle. The caller has long been answered; other levels may have the value.
    #[non_exhaustive]
    WriteGivenUp {
        /// The level, such as `L2 Redis`.
        level: &'a str,
        /// What went wrong the last time. Each try was [`LevelFailed`](Event::LevelFailed) too.
        error: &'a Error,
    },
    /// The lock failed that has one process at a time load a key ([`lock`](crate::Cache::lock)), or did not answer in time. The
    /// load went on without it, as do all of the next 5 s.
    #[non_exhaustive]
    LockFailed {
        /// What went wrong.
        error: &'a Error,
    },
    /// The lease on a key ended while its load ran, because it could not be renewed in time: another process may load the
    /// same key.
    LeaseLost,
    /// A value was loaded or read, but `remove`, `insert` or `clear` overtook it. It went to the callers that
    /// were waiting for it and was not stored.
    Overtaken,
}

/// Why a load gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoadFailure {
    /// The loader returned an error.
    Error,
    /// The loader panicked.
    Panic,
    /// The load took longer than [`max_load_time`](crate::Cache::max_load_time) and was cut off.
    TimedOut,
}

/// A limit on how long a load may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`soft_timeout`](crate::Cache::soft_timeout): those who wait were served something old.
    Soft,
    /// [`hard_timeout`](crate::Cache::hard_timeout): those who waited wait no longer.
    Hard,
    /// [`max_load_time`](crate::Cache::max_load_time): the load was cut off.
    Longest,
}

/// What was being done at a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Reading an entry.
    Read,
    /// Writing an entry.
    Write,
    /// Removing an entry.
    Remove,
    /// Removing all entries.
    Clear,
}

/// Is told each [`Event`] of a cache, on the thread where it happens.
///
/// Implemented for every `Fn(&Event<'_>) + Send + Sync + 'static`. An observer should return at once: it is
/// called in the middle of the operation. If it panics, the operation goes on.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of `event`.
    fn on_event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// The observers of a cache, in the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Observers(Arc<Vec<Arc<dyn Observer>>>);

impl Observers {
    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        Arc::make_mut(&mut self.0).push(observer);
    }

    pub(crate) fn extend(&mut self, others: &Observers) {
        Arc::make_mut(&mut self.0).extend(others.0.iter().map(Arc::clone));
    }

    /// Counts and tells that the level failed, and returns the error with the level's name on it.
    pub(crate) fn level_failed(&self, level: &LevelCounters, operation: Operation, error: Error) -> Error {
        let error = error.at_level(&*level.name);
        if error.kind() == ErrorKind::BreakerOpen {
            // That it opened was told; each call that it spares the store would be told for nothing.
            level.skipped.add();
        } else {
            level.errors.add();
            self.tell(&Event::LevelFailed { level: &level.name, operation, error: &error });
        }
        error
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        for observer in self.0.iter() {
            // The panic hook has told of it; an exporter's trouble is not the caller's.
            let _ = catch_unwind(AssertUnwindSafe(|| observer.on_event(event)));
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observer(s)", self.0.len())
    }
}
