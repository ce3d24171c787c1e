//! What an entry knows of invalidations: when it began.

use super::{Coherence, Names, Verdict};
use crate::Time;
use crate::shared_log::Position;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// When a load began, or the read that brings an entry: by the clock, and by what had been invalidated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    pub(crate) at: Time,
    /// The last tick then.
    pub(crate) tick: u64,
    /// Up to where the log was applied here.
    pub(crate) position: Option<Position>,
    /// Whether other processes number invalidations too, so that every entry is to be watched.
    pub(crate) is_shared: bool,
}

/// What goes with an entry that can be invalidated by a name. All copies of an entry that a store hands out share it.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Nothing of the entry was invalidated up to this tick.
    tick: AtomicU64,
    /// Where the log stood when the load began: what travels with the value.
    pub(crate) position: Option<Position>,
    /// What it was made from in other groups.
    pub(crate) others: Vec<Other>,
    /// When this process knew it to be valid: when it began to load it. No time that travelled is good for this.
    pub(crate) valid_at: Time,
}

/// A value of another group, which an entry was made from.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    pub(crate) coherence: Coherence,
    watch: Arc<Watch>,
    tags: Arc<[Arc<str>]>,
}

impl Watch {
    pub(crate) fn new(tick: u64, position: Option<Position>, others: Vec<Other>) -> Self {
        Watch { tick: AtomicU64::new(tick), position, others, valid_at: Time::from_nanos(0) }
    }

    /// The watch of what is loaded.
    pub(crate) fn loaded(since: Since, others: Vec<Other>) -> Self {
        Watch { valid_at: since.at, ..Watch::new(since.tick, since.position, others) }
    }

    /// The watch of what was read from bytes, of which only this is known yet.
    pub(crate) fn unread(position: Position) -> Self {
        Watch::new(0, Some(position), Vec::new())
    }

    /// The same, without what it was made from in other groups.
    pub(crate) fn alone(&self) -> Self {
        Watch { valid_at: self.valid_at, ..Watch::new(self.tick(), self.position, Vec::new()) }
    }

    /// The watch of a copy.
    pub(crate) fn copied(&self) -> Self {
        Watch::new(self.tick(), self.position, self.others.clone())
    }

    #[inline]
    pub(crate) fn tick(&self) -> u64 {
        self.tick.load(Relaxed)
    }

    /// Notes that it was judged, and found sound, at that tick.
    pub(crate) fn advance(&self, tick: u64) {
        self.tick.fetch_max(tick, Relaxed);
    }
}

impl Other {
    pub(crate) fn new(coherence: &Coherence, watch: &Watch, tags: &[Arc<str>]) -> Self {
        let own = Watch::new(watch.tick(), watch.position, Vec::new());
        let watch = Arc::new(Watch { valid_at: watch.valid_at, ..own });
        Other { coherence: coherence.clone(), watch, tags: tags.into() }
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Its tags: its key is none of ours.
    pub(crate) fn names(&self) -> Names<'_> {
        Names { key: None, tags: &self.tags }
    }

    #[inline]
    pub(crate) fn is_calm(&self, now: Time) -> bool {
        self.coherence.is_calm(&self.watch, now)
    }

    pub(crate) fn judge(&self, now: Time) -> Verdict {
        self.coherence.judge(&self.watch, self.names(), now)
    }

    pub(crate) fn is_void(&self) -> bool {
        self.watch.tick() < self.coherence.tick()
            && self.coherence.0.state.lock().judge(self.watch.tick(), self.names()) == Verdict::Void
    }

    pub(crate) fn is_sound(&self) -> bool {
        let last = self.coherence.tick();
        self.watch.tick() >= last
            || self.coherence.0.state.lock().judge(self.watch.tick(), self.names()) == Verdict::Sound
    }
}
