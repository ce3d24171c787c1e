//! What was invalidated, and what that means for an entry.
//!
//! ```text
//! load of k      tick 4 ── load, tags: a, b ──────────── stored with tick 4
//! invalidate a               └─ mark a with tick 5 ─┐
//! hit of k                                          └──── 5 > 4: look up the tags ── a: 5 > 4 ── gone
//! hit of another, stored with tick 5 ──────────────────── 5 = 5: nothing is looked up
//! ```
//!
//! An invalidation touches no entry: it marks a name. Each entry carries the *tick* that was the last when its load, or
//! the read that brought it, began. As long as nothing was marked since, a hit compares two numbers; else each of its
//! names is looked up once, and the entry takes the new tick. So `invalidate_tag` costs the same for one entry and a
//! million, and a load that an invalidation overtook is caught whenever its tags become known.
//!
//! Nothing here depends on the time of day.

mod marks;
mod watch;

pub(crate) use watch::{Other, Since, Watch};

use crate::shared_log::{Name, Position};
use crate::sync::{AtomicU64, Mutex};
use crate::{Entry, Time};
use marks::Marks;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64 as UsualAtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// What a group of caches has invalidated: an invalidation of a tag reaches every cache of the group.
///
/// All caches of a process belong to one group, unless they are told otherwise with
/// [`Cache::coherence`](crate::Cache::coherence); those of each mock clock to one of their own. Clones are the same group.
///
/// # Memory
///
/// Bounded: 114,688 invalidated names are known, which takes 4.3 MB. If more are invalidated, the older half is
/// forgotten, and entries with tags that are older than that count as invalidated.
///
/// # Examples
///
/// ```
/// use larder::{Coherence, prelude::*};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let group = Coherence::new();
/// let names = Cache::new(Memory::<u64, String>::new(100)).coherence(&group);
/// let pages = Cache::new(Memory::<str, String>::new(100)).coherence(&group);
///
/// names.insert_with(&7, "Ada".into(), |entry| entry.tag("user:7")).await?;
/// pages.insert_with("/7", "<h1>Ada".into(), |entry| entry.tag("user:7")).await?;
/// group.invalidate_tag("user:7").await?;
/// assert_eq!(names.get(&7).await?, None);
/// assert_eq!(pages.get("/7").await?, None);
/// # larder::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Coherence(Arc<Inner>);

struct Inner {
    /// Which log the numbers are of.
    era: u64,
    /// The tick of the last mark. Written under the lock of `marks`, after the mark is there.
    last: AtomicU64,
    /// Held to mark names or to look some up; no user code runs under it.
    marks: Mutex<Marks>,
}

/// The ticks of all groups are drawn from one counter, so that an entry of a store that two groups share is judged rightly
/// by either.
static TICKS: UsualAtomicU64 = UsualAtomicU64::new(0);

/// What the marks say of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing of it was invalidated since.
    Sound,
    /// It was expired, at this time.
    Expired(Time),
    /// It was removed.
    Void,
}

impl Verdict {
    /// The graver one of both.
    fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Void, _) | (_, Verdict::Sound) => self,
            (_, other) => other,
        }
    }
}

impl Coherence {
    /// Makes a group of its own, whose caches are reached by no other group's invalidations.
    #[must_use = "a group does nothing until caches belong to it"]
    pub fn new() -> Self {
        let era = RandomState::new().build_hasher().finish();
        Coherence(Arc::new(Inner { era, last: AtomicU64::new(0), marks: Mutex::default() }))
    }

    /// Returns the group that the caches of this process belong to, unless they are told otherwise.
    pub fn of_the_process() -> Self {
        static PROCESS: LazyLock<Coherence> = LazyLock::new(Coherence::new);
        PROCESS.clone()
    }

    /// Invalidates what has the tag, in every cache of this group: [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    ///
    /// # Errors
    ///
    /// As of [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    pub async fn invalidate_tag(&self, tag: impl AsRef<str> + Send) -> crate::Result<()> {
        self.mark(&[Name::tag(tag.as_ref())], Time::from_nanos(0));
        std::future::ready(Ok(())).await
    }

    /// Marks the names. `now` is kept with those that expire.
    pub(crate) fn mark(&self, names: &[Name], now: Time) {
        if names.is_empty() {
            return;
        }
        let mut marks = self.0.marks.lock();
        let tick = TICKS.fetch_add(1, Ordering::Relaxed) + 1;
        for name in names {
            marks.mark(name, tick, now);
        }
        // Behind the marks: who begins with this tick began after them.
        self.0.last.store(tick, Ordering::Release);
    }

    /// The tick of the last mark.
    #[inline]
    pub(crate) fn tick(&self) -> u64 {
        self.0.last.load(Ordering::Acquire)
    }

    /// What begins now, at the time `at`.
    pub(crate) fn since(&self, at: Time) -> Since {
        let tick = self.tick();
        Since { at, tick, position: Position { era: self.0.era, number: tick } }
    }

    /// Whether nothing at all was marked since the watch began or was last judged.
    #[inline]
    pub(crate) fn is_calm(&self, watch: &Watch) -> bool {
        watch.tick() >= self.tick() && watch.others.iter().all(Other::is_calm)
    }

    /// Whether it is this group.
    pub(crate) fn is(&self, other: &Coherence) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What is known of an entry that was read from a level of bytes, in a read that began at `tick`, and that was written
    /// at `position`.
    pub(crate) fn watch_read(&self, position: Position, tick: u64) -> Watch {
        // What another process wrote, or this one before it was started anew, nobody here can judge.
        let known = if position.era == self.0.era { position.number.min(tick) } else { tick };
        Watch::new(known, Some(position), Vec::new())
    }

    /// Judges an entry with these tags, of which `watch` notes when it began.
    pub(crate) fn judge(&self, watch: &Watch, tags: &[Arc<str>]) -> Verdict {
        let (since, now) = (watch.tick(), self.tick());
        let own = if since >= now { Verdict::Sound } else { self.judge_tags(since, tags) };
        if own == Verdict::Sound {
            watch.advance(now);
        }
        watch.others.iter().map(Other::judge).fold(own, Verdict::and)
    }

    /// Judges what has these tags and began when `since` was the last tick.
    pub(crate) fn judge_tags(&self, since: u64, tags: &[Arc<str>]) -> Verdict {
        if tags.is_empty() {
            return Verdict::Sound;
        }
        let marks = self.0.marks.lock();
        tags.iter().map(|tag| marks.judge_tag(tag, since)).fold(Verdict::Sound, Verdict::and)
    }

    /// Returns what the marks leave of an entry: all of it, an expired one that `kept` says how long to keep, or nothing.
    pub(crate) fn judged<V>(&self, entry: Entry<V>, kept: impl FnOnce() -> Duration) -> Option<Entry<V>> {
        let Some(watch) = entry.watch().filter(|watch| !self.is_calm(watch)) else { return Some(entry) };
        match self.judge(watch, entry.tags()) {
            Verdict::Sound => Some(entry),
            Verdict::Expired(at) => Some(entry.expired(at, kept())),
            Verdict::Void => None,
        }
    }

    /// Whether nothing of the entry was invalidated since it began.
    pub(crate) fn is_sound<V>(&self, entry: &Entry<V>) -> bool {
        entry.watch().is_none_or(|watch| self.judge(watch, entry.tags()) == Verdict::Sound)
    }
}

impl Default for Coherence {
    /// As [`Coherence::new`].
    fn default() -> Self {
        Coherence::new()
    }
}

impl std::fmt::Debug for Coherence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coherence").field("last_tick", &self.tick()).finish_non_exhaustive()
    }
}
