//! What an entry knows of invalidations: when it began.

use super::{Coherence, Verdict};
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
    /// Where the log stood, as far as it was applied here.
    pub(crate) position: Position,
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
}

/// A value of another group, which an entry was made from.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    coherence: Coherence,
    watch: Arc<Watch>,
    tags: Arc<[Arc<str>]>,
}

impl Watch {
    pub(crate) fn new(tick: u64, position: Option<Position>, others: Vec<Other>) -> Self {
        Watch { tick: AtomicU64::new(tick), position, others }
    }

    /// The watch of what was read from bytes, of which only this is known yet.
    pub(crate) fn unread(position: Position) -> Self {
        Watch::new(0, Some(position), Vec::new())
    }

    /// The watch of a copy, which was read since `tick`.
    pub(crate) fn copied(&self, tick: u64) -> Self {
        Watch::new(tick, self.position, self.others.clone())
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
    pub(crate) fn new(coherence: &Coherence, tick: u64, tags: &[Arc<str>]) -> Self {
        let watch = Arc::new(Watch::new(tick, None, Vec::new()));
        Other { coherence: coherence.clone(), watch, tags: tags.into() }
    }

    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        self.coherence.is_calm(&self.watch)
    }

    pub(crate) fn judge(&self) -> Verdict {
        self.coherence.judge(&self.watch, &self.tags)
    }
}
