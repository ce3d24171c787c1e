//! What few entries have beside a value and its times: tags, a validator, the time their load took, an idle limit.
//!
//! Behind one pointer, so that the many entries which have none of it stay small.

use crate::Time;
use crate::coherence::{Coherence, Watch};
use crate::running::is_running;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) tags: Vec<Arc<str>>,
    pub(crate) etag: Option<Arc<str>>,
    pub(crate) last_modified: Option<SystemTime>,
    /// How long the load took, where early expiration wants to know.
    pub(crate) took: Option<Duration>,
    /// From when on it is to be reloaded ahead of its end, if that is not simply where it stops being settled.
    pub(crate) refresh_at: Option<Time>,
    pub(crate) idle: Option<Idle>,
    /// When it began, where it can be invalidated by a name.
    pub(crate) watch: Option<Watch>,
}

impl Extra {
    /// Behind a pointer, unless there is nothing to point to.
    pub(crate) fn shared(self) -> Option<Arc<Self>> {
        let Extra { tags, etag, last_modified, took, refresh_at: _, idle, watch } = &self;
        let has_notes = !tags.is_empty() || etag.is_some() || last_modified.is_some() || took.is_some();
        let is_empty = !has_notes && idle.is_none() && watch.is_none();
        (!is_empty).then(|| Arc::new(self))
    }

    /// Whether nothing was invalidated since it was judged, and nobody is to be told of its use.
    #[inline]
    pub(crate) fn is_calm(&self, coherence: &Coherence, now: Time) -> bool {
        self.watch.as_ref().is_none_or(|watch| coherence.is_calm(watch, now) && !is_running())
    }

    /// What a copy in another level takes over. When it is to be reloaded, and how long it may idle, is that level's.
    pub(crate) fn copied(&self) -> Self {
        Extra {
            tags: self.tags.clone(),
            etag: self.etag.clone(),
            last_modified: self.last_modified,
            took: self.took,
            watch: self.watch.as_ref().map(Watch::copied),
            ..Extra::default()
        }
    }
}

/// For how long an entry may go unread. All copies of an entry that a store hands out share it.
#[derive(Debug)]
pub(crate) struct Idle {
    limit: Duration,
    /// The last read, as [`Time::as_nanos`].
    read_at: AtomicU64,
}

impl Idle {
    pub(crate) fn new(limit: Duration, now: Time) -> Self {
        Idle { limit, read_at: AtomicU64::new(now.as_nanos()) }
    }

    pub(crate) fn dead_at(&self) -> Time {
        Time::from_nanos(self.read_at.load(Relaxed)).after(self.limit)
    }

    pub(crate) fn touch(&self, now: Time) {
        // A reader that was held up does not take it back.
        self.read_at.fetch_max(now.as_nanos(), Relaxed);
    }
}
