//! What was invalidated, and what that means for an entry.
//!
//! ```text
//! load of k      tick 4 ── load, tags: a, b ──────────── stored with tick 4
//! invalidate a               └─ mark a with tick 5 ─┐
//! hit of k                                          └──── 5 > 4: look up the names ── a: 5 > 4 ── gone
//! hit of another, stored with tick 5 ──────────────────── 5 = 5: nothing is looked up
//! ```
//!
//! An invalidation touches no entry: it marks a name. Each entry carries the *tick* that was the last when its load, or
//! the read that brought it, began. As long as nothing was marked since, a hit compares two numbers; else each of its
//! names is looked up once, and the entry takes the new tick. So `invalidate_tag` costs the same for one entry and a
//! million, and a load that an invalidation overtook is caught whenever its tags become known.
//!
//! With a [`SharedLog`] the same marks come from a log that processes share (`shared`). A copy in memory is served without
//! asking for as long as a position of the log that was confirmed is no older than the *bound*; a value in the shared level
//! carries the position that its load began at, and is judged by the numbers of the marks. Nothing of this depends on the
//! time of day, or on clocks of different machines.

mod copies;
mod marks;
mod names;
mod options;
mod pending;
mod shared;
mod state;
mod stats;
mod verdict;
mod watch;

pub(crate) use copies::Copy;
pub(crate) use names::Names;
pub use options::CoherenceOptions;
pub(crate) use shared::Shared;
pub(crate) use state::Asked;
pub use stats::CoherenceStats;
pub(crate) use verdict::Verdict;
pub(crate) use watch::{Other, Since, Watch};

use crate::shared_log::{Name, Position, SharedLog};
use crate::sync::{AtomicU64, Mutex};
use crate::{Bus, ByteStore, Clock, Entry, Result, Time};
use copies::Copies;
use state::State;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

/// What a group of caches has invalidated: an invalidation of a tag reaches every cache of the group.
///
/// Caches over a store that keeps a log of invalidations, such as Redis or PostgreSQL, belong to the group of that log,
/// which other processes belong to as well. All others of a process belong to one group. Those of a mock clock have
/// groups of their own. [`Cache::coherence`](crate::Cache::coherence) chooses another one. Clones are the same group.
///
/// # Memory
///
/// Bounded: 114,688 invalidated names are known, which takes 6.4 MB. If more are invalidated, the older half is
/// forgotten; entries that are older than that are asked about at the shared log, and without one count as invalidated if
/// they have tags.
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
    /// The last tick. Written under the lock of `state`, after the mark is there.
    last: AtomicU64,
    /// Until then, as [`Time::as_nanos`], hits need not think of the log; for ever without one.
    calm_until: AtomicU64,
    /// Held to mark names or to look some up; no user code runs under it.
    state: Mutex<State>,
    shared: Option<Shared>,
    /// The keys that this process publishes.
    writers: Mutex<HashSet<String>>,
    copies: Copies,
    /// The groups of the logs that caches with this clock found, if this is a clock's own group.
    of_logs: Mutex<Vec<Weak<Inner>>>,
}

impl Coherence {
    /// Makes a group of its own, whose caches are reached by no other group's invalidations.
    #[must_use = "a group does nothing until caches belong to it"]
    pub fn new() -> Self {
        let era = RandomState::new().build_hasher().finish();
        Self::of(State::of_era(era), None, Time::NEVER)
    }

    /// Returns the group that the caches of this process belong to, unless they are told otherwise.
    pub fn of_the_process() -> Self {
        static PROCESS: LazyLock<Coherence> = LazyLock::new(Coherence::new);
        PROCESS.clone()
    }

    /// Makes the group of the log that `store` keeps, with the default [options](Self::options).
    ///
    /// # Errors
    ///
    /// As of [`CoherenceOptions::over`].
    pub fn over(store: &impl ByteStore) -> Result<Self> {
        Self::options().over(store)
    }

    /// Returns options for the group of a shared log: the bound, a bus.
    pub fn options() -> CoherenceOptions {
        CoherenceOptions::default()
    }

    fn of(state: State, shared: Option<Shared>, calm_until: Time) -> Self {
        let inner = Inner {
            last: AtomicU64::new(0),
            calm_until: AtomicU64::new(calm_until.as_nanos()),
            state: Mutex::new(state),
            shared,
            writers: Mutex::default(),
            copies: Copies::default(),
            of_logs: Mutex::default(),
        };
        Coherence(Arc::new(inner))
    }

    /// The group of `log` among the caches whose clock has this group.
    pub(crate) fn of_log(&self, log: &Arc<dyn SharedLog>, clock: &Arc<dyn Clock>) -> Coherence {
        let mut groups = self.0.of_logs.lock();
        groups.retain(|group| group.strong_count() > 0);
        let known = groups
            .iter()
            .filter_map(Weak::upgrade)
            .find(|group| group.shared.as_ref().is_some_and(|shared| shared.is_of(log)));
        if let Some(group) = known {
            return Coherence(group);
        }
        let group = CoherenceOptions::default().with_clock(Arc::clone(clock)).over_log(Arc::clone(log));
        groups.push(Arc::downgrade(&group.0));
        group
    }

    /// Invalidates what has the tag, in every cache of this group: [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    ///
    /// # Errors
    ///
    /// As of [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    ///
    /// # Cancel safety
    ///
    /// As of [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    pub async fn invalidate_tag(&self, tag: impl AsRef<str> + Send) -> Result<()> {
        let names = vec![Name::tag(tag.as_ref())];
        // Of use to those that expire only.
        self.invalidate(names, Time::from_nanos(0)).await
    }

    /// Invalidates what has any of the tags, in every cache of this group:
    /// [`Cache::invalidate_tags`](crate::Cache::invalidate_tags).
    ///
    /// # Errors
    ///
    /// As of [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    ///
    /// # Cancel safety
    ///
    /// As of [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    pub async fn invalidate_tags<T: AsRef<str>>(
        &self,
        tags: impl IntoIterator<Item = T> + Send,
    ) -> Result<()> {
        let names = tags.into_iter().map(|tag| Name::tag(tag.as_ref())).collect();
        self.invalidate(names, Time::from_nanos(0)).await
    }

    /// Marks the names, here and in the shared log. `now` is kept with those that expire.
    pub(crate) async fn invalidate(&self, names: Vec<Name>, now: Time) -> Result<()> {
        match &self.0.shared {
            Some(_) if names.is_empty() => Ok(()),
            Some(shared) => shared.invalidate_names(self, &names, now).await,
            None => {
                self.mark(&names, now);
                Ok(())
            }
        }
    }

    /// Marks the names in this process.
    fn mark(&self, names: &[Name], now: Time) {
        let mut state = self.0.state.lock();
        state.mark_here(names, self.0.shared.is_some(), now);
        self.publish_tick(&state);
    }

    /// Notes that the key is published. Returns whether it was not.
    pub(crate) fn add_writer(&self, key: &str) -> bool {
        self.0.writers.lock().insert(key.into())
    }

    pub(crate) fn remove_writer(&self, key: &str) {
        self.0.writers.lock().remove(key);
    }

    /// Lets who begins from now on begin with the last tick. Behind the marks: who begins with it began after them.
    fn publish_tick(&self, state: &State) {
        self.0.last.store(state.last, Ordering::Release);
    }

    /// The last tick.
    #[inline]
    pub(crate) fn tick(&self) -> u64 {
        self.0.last.load(Ordering::Acquire)
    }

    /// Has the group tell and hear what is invalidated on this bus as well.
    pub(crate) fn add_bus(&self, bus: &Arc<dyn Bus>) {
        if let Some(shared) = &self.0.shared {
            shared.add_bus(self, bus);
        }
    }

    /// The shared log, if there is one.
    pub(crate) fn shared(&self) -> Option<&Shared> {
        self.0.shared.as_ref()
    }

    /// What begins now, at the time `at`.
    pub(crate) fn since(&self, at: Time) -> Since {
        let is_shared = self.0.shared.is_some();
        // Under the lock that orders both counts.
        let state = self.0.state.lock();
        let position =
            state.known.map(|known| if is_shared { known } else { Position { number: state.last, ..known } });
        Since { at, tick: state.last, position, is_shared }
    }

    /// Whether nothing at all was marked since the watch began or was last judged, and the log need not be thought of.
    #[inline]
    pub(crate) fn is_calm(&self, watch: &Watch, now: Time) -> bool {
        watch.tick() >= self.tick()
            && now.as_nanos() < self.0.calm_until.load(Ordering::Relaxed)
            && watch.others.iter().all(|other| other.is_calm(now))
    }

    /// Whether it is this group.
    pub(crate) fn is(&self, other: &Coherence) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Judges, without waiting, a copy in memory with these names, of which `watch` notes when it began.
    pub(crate) fn judge(&self, watch: &Watch, names: Names<'_>, now: Time) -> Verdict {
        let (since, last) = (watch.tick(), self.tick());
        let own = if since >= last { Verdict::Sound } else { self.0.state.lock().judge(since, names) };
        if own == Verdict::Sound {
            watch.advance(last);
        }
        let confirmed = match &self.0.shared {
            Some(shared) if !shared.is_confirmed(self, watch.valid_at, now) => Verdict::Ask,
            _ => Verdict::Sound,
        };
        watch.others.iter().map(|other| other.judge(now)).fold(own.and(confirmed), Verdict::and)
    }

    /// Whether the entry is known to have been removed since it began: not even a load that fails brings it back.
    pub(crate) fn is_void<V>(&self, entry: &Entry<V>, address: Option<&str>) -> bool {
        let names = Names { key: address, tags: entry.tags() };
        let is_void = |watch: &Watch| {
            watch.tick() < self.tick() && self.0.state.lock().judge(watch.tick(), names) == Verdict::Void
        };
        entry.watch().is_some_and(|watch| is_void(watch) || watch.others.iter().any(Other::is_void))
    }

    /// Whether none of the names was marked since the watch began.
    pub(crate) fn is_unmarked(&self, watch: &Watch, names: Names<'_>) -> bool {
        let own =
            watch.tick() >= self.tick() || self.0.state.lock().judge(watch.tick(), names) == Verdict::Sound;
        own && watch.others.iter().all(Other::is_sound)
    }

    /// Judges what was read from a level of bytes, in a read that began at `tick`, and was written at `position`. Returns
    /// what the entry is to know from now on.
    pub(crate) fn judge_read(
        &self,
        position: Option<Position>,
        tick: u64,
        names: Names<'_>,
        is_voided: bool,
    ) -> (Verdict, Option<Watch>) {
        let watch = |tick| Some(Watch::new(tick, position, Vec::new()));
        let state = self.0.state.lock();
        if self.0.shared.is_some() {
            let verdict = position.map_or(Verdict::Void, |at| state.judge_read(at, names, is_voided));
            // Whatever was marked up to now was compared with its number.
            return (verdict, watch(state.last));
        }
        match position {
            None => (Verdict::Sound, None),
            // What another process wrote, or this one before it was started anew, nobody here can judge.
            Some(at) if state.known.is_none_or(|known| known.era != at.era) => (Verdict::Sound, watch(tick)),
            Some(at) => (state.judge_own(at.number, names), watch(state.last)),
        }
    }

    /// Judges a copy in memory, and asks the log if that is needed: for its position, or for the marks of these names.
    /// [`Verdict::Ask`] if the log cannot be asked: what may have been removed is not served, not even where a load fails.
    pub(crate) async fn judge_thoroughly<V: Send + Sync>(
        &self,
        entry: &Entry<V>,
        address: Option<&str>,
        now: Time,
    ) -> Verdict {
        let Some(watch) = entry.watch() else { return Verdict::Sound };
        let names = Names { key: address, tags: entry.tags() };
        let verdict = self.judge(watch, names, now);
        if verdict != Verdict::Ask {
            return verdict;
        }
        let mut verdict = match &self.0.shared {
            Some(shared) => shared.settle(self, watch, names, now).await,
            None => self.judge(&watch.alone(), names, now),
        };
        for other in &watch.others {
            verdict = verdict.and(match other.coherence.shared() {
                Some(shared) => shared.settle(&other.coherence, other.watch(), other.names(), now).await,
                None => other.judge(now),
            });
        }
        verdict
    }

    /// Returns what the marks leave of an entry: all of it, an expired one that `kept` says how long to keep, or nothing.
    pub(crate) fn left<V>(
        entry: Entry<V>,
        verdict: Verdict,
        kept: impl FnOnce() -> Duration,
    ) -> Option<Entry<V>> {
        match verdict {
            Verdict::Sound => Some(entry),
            Verdict::Expired(at) => Some(entry.expired(at, kept())),
            Verdict::Void | Verdict::Ask => None,
        }
    }
}

impl Coherence {
    /// Returns what happened with the shared log since the group was made; all zero without one.
    pub fn stats(&self) -> CoherenceStats {
        self.shared().map_or_else(CoherenceStats::default, Shared::stats)
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
        let mut out = f.debug_struct("Coherence");
        if let Some(shared) = &self.0.shared {
            out.field("log", &shared.place()).field("position", &self.0.state.lock().known);
        }
        out.field("last_tick", &self.tick()).finish_non_exhaustive()
    }
}
