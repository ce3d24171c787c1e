//! What a load is made from: each value that it gets from a cache tells it its tags, on a hit as on a miss.
//!
//! ```text
//! load of page ──▶ get_or_load(user) ── hit, or load, or waiting for another's load ── its tags ─┐
//!      ▲                                                                                          │
//!      └── the page has them too: who invalidates `user:7` invalidates the page ◀─────────────────┘
//! ```
//!
//! That goes through any depth, because the page's own tags are told to whatever is made from the page. A value of
//! another group tells what it is watched by as well, so that the page is judged by that group's invalidations too.

use crate::coherence::{Coherence, Other};
use crate::running::running;
use crate::{Cache, Entry, Lookup};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Loads that want to live no longer than what they are made from, and so are told of each value, tags or not.
static CAPPED: AtomicUsize = AtomicUsize::new(0);

/// Whether each hit is to be told to somebody.
#[inline]
pub(crate) fn any_capped() -> bool {
    CAPPED.load(Relaxed) != 0
}

/// What a hit is to be looked at more closely for: loads that are told of each value, and caches that are not to be read.
static EXCEPTIONS: AtomicUsize = AtomicUsize::new(0);

/// Whether a hit may be more than a hit. All that can be is in this one number, because every hit asks.
#[inline]
pub(crate) fn any_exception() -> bool {
    EXCEPTIONS.load(Relaxed) != 0
}

/// A reason to look at every hit more closely; until dropped.
pub(crate) struct Exception(());

impl Exception {
    pub(crate) fn begin() -> Self {
        EXCEPTIONS.fetch_add(1, Relaxed);
        Exception(())
    }
}

impl Drop for Exception {
    fn drop(&mut self) {
        EXCEPTIONS.fetch_sub(1, Relaxed);
    }
}

/// A load that is told of each value; until dropped.
pub(crate) struct Capped {
    _exception: Exception,
}

impl Capped {
    pub(crate) fn begin() -> Self {
        CAPPED.fetch_add(1, Relaxed);
        Capped { _exception: Exception::begin() }
    }
}

impl Drop for Capped {
    fn drop(&mut self) {
        CAPPED.fetch_sub(1, Relaxed);
    }
}

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Hands a value to its caller. If that is a load, it is made from this.
    pub(crate) fn serve(&self, entry: Entry<V>) -> V {
        self.note_use(&entry);
        entry.into_value()
    }

    /// Tells the running load, if this is one, that it is made from this entry.
    pub(crate) fn note_use(&self, entry: &Entry<V>) {
        note_use(entry, &self.inner.coherence);
    }
}

/// Tells the running load, if this is one, that it is made from this entry of a cache of that group.
pub(crate) fn note_use<V>(entry: &Entry<V>, coherence: &Coherence) {
    if entry.watch().is_some() || any_capped() {
        note(entry, coherence);
    }
}

#[cold]
fn note<V>(entry: &Entry<V>, coherence: &Coherence) {
    running(|load| {
        let mut edits = load.edits().lock();
        let terms = &mut edits.terms;
        entry.tags().iter().for_each(|tag| terms.share_tag(tag));
        terms.most = terms.most.into_iter().chain([entry.fresh_until()]).min();
        let Some(watch) = entry.watch() else { return };
        terms.others.extend(watch.others.iter().cloned());
        if !load.coherence().is(coherence) {
            terms.others.push(Other::new(coherence, watch, entry.tags()));
        }
    });
}
