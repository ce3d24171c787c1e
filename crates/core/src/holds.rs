//! How a store and a codec hold values under keys: the sealed composition that every cache works through.
//!
//! The trait is implemented by what stands in the codec's place, so that its impls do not overlap: [`Native`]
//! over a [`Store`], every codec over a [`ByteStore`](crate::ByteStore), [`PerLevel`] over [`Chain`] and
//! [`Boxed`]. It reads and writes; it does not decide. The cache judges, counts, promotes and loads.
//!
//! [`Native`]: crate::Native
//! [`Store`]: crate::Store
//! [`PerLevel`]: crate::PerLevel
//! [`Chain`]: crate::Chain
//! [`Boxed`]: crate::Boxed

use crate::breaker::BreakerState;
use crate::coherence::{Since, Verdict};
use crate::counters::Counters;
use crate::entry::Lifetime;
use crate::envelope::Moment;
use crate::event::{Observers, Operation};
use crate::extra::Extra;
use crate::guard::Witness;
use crate::record::Token;
use crate::shared_log::SharedLog;
use crate::store::Usage;
use crate::terms::Terms;
use crate::tokens::Tokens;
use crate::{Clock, Coherence, Entry, Error, Freshness, Level, Result, Time};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Sealed: a store `S` with what stands in the codec's place holds `V` under `K`.
#[diagnostic::on_unimplemented(
    message = "`{S}` with `{Self}` does not hold `{V}` under `{K}`",
    note = "a store of bytes needs a codec that encodes the value (`.codec(Json)`, and serde derives on `{V}`) and a key that implements `Key`"
)]
pub trait Holds<S, K: ?Sized, V>: Send + Sync + Sized + 'static {
    /// The number of levels.
    #[doc(hidden)]
    fn depth(level: &Level<S, Self>) -> usize;

    /// Looks without waiting, at the first level only.
    #[doc(hidden)]
    fn look(level: &Level<S, Self>, key: &K, now: Time) -> Look<V>;

    /// Looks without waiting, and returns the value alone if it is fresh, was not invalidated, and needs no second thought: less to hand
    /// through than an entry, which is what a hit through a box costs.
    #[doc(hidden)]
    #[inline]
    fn hit(
        level: &Level<S, Self>,
        key: &K,
        now: Time,
        coherence: &Coherence,
    ) -> std::result::Result<V, Look<V>> {
        match Self::look(level, key, now) {
            Look::Hit(entry) if entry.is_settled(now) && entry.is_calm(coherence, now) => {
                Ok(entry.into_value())
            }
            other => Err(other),
        }
    }

    /// Asks the levels from number `from` on, one after the other, until one has a fresh entry. Returns the best
    /// there is, even if that is only kept for failures.
    #[doc(hidden)]
    fn fetch(
        level: &Level<S, Self>,
        cx: Cx<'_>,
        key: &K,
        from: usize,
    ) -> impl Future<Output = Option<Fetched<V>>> + Send;

    /// Carries out one step a level. Every level is tried; the first error is returned, each is reported.
    #[doc(hidden)]
    fn put(
        level: &Level<S, Self>,
        cx: Cx<'_>,
        key: &K,
        value: Gift<'_, V>,
        plan: &[Step],
    ) -> impl Future<Output = Result<()>> + Send;

    /// Removes the entry from every level, the lowest first.
    #[doc(hidden)]
    fn remove(level: &Level<S, Self>, cx: Cx<'_>, key: &K) -> impl Future<Output = Result<()>> + Send;

    /// Ends the entry's life in every level, the lowest first. It is kept for loads that fail for what `kept` says of
    /// the level; where that is no time, it is removed.
    #[doc(hidden)]
    fn expire(
        level: &Level<S, Self>,
        cx: Cx<'_>,
        key: &K,
        kept: &[Duration],
    ) -> impl Future<Output = Result<()>> + Send;

    /// Voids the record at the level that keeps the group's log, if there is one, as an invalidation of its key; what is put
    /// there next, by the same operation, takes its place.
    #[doc(hidden)]
    fn void(level: &Level<S, Self>, cx: Cx<'_>, key: &K) -> impl Future<Output = Result<()>> + Send;

    /// The log of the first level that keeps one.
    #[doc(hidden)]
    fn log(level: &Level<S, Self>) -> Option<Arc<dyn SharedLog>>;

    /// The key as it is written at the level that keeps a log, or else at the first level of bytes.
    #[doc(hidden)]
    fn address(level: &Level<S, Self>, key: &K) -> Option<String>;

    /// Removes every entry from every level, the lowest first.
    #[doc(hidden)]
    fn clear(level: &Level<S, Self>, cx: Cx<'_>) -> impl Future<Output = Result<()>> + Send;

    /// Has what is queued written, in every level, and returns when all of it is written or given up.
    #[doc(hidden)]
    fn drain(level: &Level<S, Self>, cx: Cx<'_>, how: Drain) -> impl Future<Output = Result<()>> + Send;

    /// Whether the plan writes to a level that keeps the value itself.
    #[doc(hidden)]
    fn keeps(level: &Level<S, Self>, plan: &[Step]) -> bool;

    /// Whether carrying out the plan may wait.
    #[doc(hidden)]
    fn waits(level: &Level<S, Self>, plan: &[Step]) -> bool;

    /// Frees what is dead at `now`, where that is possible without waiting.
    #[doc(hidden)]
    fn sweep(level: &Level<S, Self>, now: Time);

    /// Appends one description a level.
    #[doc(hidden)]
    fn describe(level: &Level<S, Self>, out: &mut Vec<Description>);
}

/// What a look without waiting saw.
#[derive(Debug)]
pub enum Look<V> {
    /// An entry that is fresh or stale, at the first level.
    Hit(Entry<V>),
    /// Nothing to serve at once; ask from this level on. Past the last level: a miss. What the first level keeps
    /// for failures comes along.
    Ask(usize, Option<Entry<V>>),
}

impl<V> Look<V> {
    /// Judges what a level without waiting holds: the entry, or "ask the next level".
    #[inline]
    pub(crate) fn of(held: Option<Entry<V>>, now: Time) -> Self {
        match held {
            Some(entry) => match entry.freshness(now) {
                Freshness::Fresh | Freshness::Stale => {
                    entry.touch(now);
                    Look::Hit(entry)
                }
                Freshness::Kept => {
                    // It may be about to be served: an outage must not let idle what everybody asks for.
                    entry.touch(now);
                    Look::Ask(1, Some(entry))
                }
                Freshness::Dead => Look::Ask(1, None),
            },
            None => Look::Ask(1, None),
        }
    }
}

/// An entry that is not dead, and the level it came from.
#[derive(Debug)]
pub struct Fetched<V> {
    pub(crate) entry: Entry<V>,
    pub(crate) level: usize,
    pub(crate) freshness: Freshness,
}

impl<V> Fetched<V> {
    /// Whether it may be served without a load having failed.
    pub(crate) fn is_hit(&self) -> bool {
        self.freshness <= Freshness::Stale
    }

    /// Judges an entry of level `level` at `now`.
    pub(crate) fn of(entry: Entry<V>, level: usize, now: Time) -> Option<Self> {
        match entry.freshness(now) {
            Freshness::Dead => None,
            freshness => Some(Fetched { entry, level, freshness }),
        }
    }
}

/// What to do at one level.
#[derive(Clone, Debug)]
pub enum Step {
    /// Nothing.
    Leave,
    /// Write the value with these times.
    #[doc(hidden)]
    Write(Stamp),
    /// Remove what is there: the value is not to be kept here.
    Remove,
}

/// What is to become of queues once they are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// They go on.
    Flush,
    /// They take nothing any more: writes go through.
    Shutdown,
}

/// What goes with a value that is about to be written.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub(crate) life: Lifetime,
    pub(crate) extra: Option<Arc<Extra>>,
}

impl Stamp {
    /// What goes with a value that is stored nowhere: what who is made of it is to know.
    pub(crate) fn unstored(since: Since, terms: &Terms) -> Self {
        let fresh_until = match terms.ttl {
            Some(ttl) => since.at.after(ttl),
            None => terms.most.unwrap_or(Time::NEVER),
        };
        let life = Lifetime::ending(since.at, fresh_until, Duration::ZERO, Duration::ZERO);
        let extra = Extra { tags: terms.tags.clone(), watch: terms.watch(since), ..Extra::default() };
        Stamp { life, extra: extra.shared() }
    }

    /// Whether the entry dies of itself.
    pub(crate) fn expires(&self) -> bool {
        self.life.dead_at != Time::NEVER || self.extra.as_ref().is_some_and(|extra| extra.idle.is_some())
    }
}

/// A value on its way into levels: the last one that keeps values gets it, the others copy it.
#[derive(Debug)]
pub enum Gift<'a, V> {
    /// To keep.
    Own(V),
    /// To copy or to encode.
    Lend(&'a V),
}

impl<V: Clone> Gift<'_, V> {
    pub(crate) fn keep(self) -> V {
        match self {
            Gift::Own(value) => value,
            Gift::Lend(value) => value.clone(),
        }
    }
}

impl<V> Gift<'_, V> {
    pub(crate) fn get(&self) -> &V {
        match self {
            Gift::Own(value) => value,
            Gift::Lend(value) => value,
        }
    }
}

/// What an operation needs beside the levels: the time, and where to report.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) coherence: &'a Coherence,
    /// The last tick when the operation began.
    pub(crate) tick: u64,
    /// The key as other processes know it, where the group is one of several processes.
    pub(crate) address: Option<&'a str>,
    /// What the operation has seen of records, for what it writes.
    pub(crate) tokens: Option<&'a Tokens>,
    /// Whether what is not found will be loaded.
    pub(crate) loads: bool,
    /// The number of levels.
    pub(crate) depth: usize,
    pub(crate) counters: &'a Counters,
    pub(crate) observers: &'a Observers,
    /// The number of the first level that is meant.
    pub(crate) base: usize,
    /// The levels that this call leaves out.
    pub(crate) skip: Skip,
    /// What was loaded before this is too old for the call.
    pub(crate) floor: Option<Time>,
    /// Where a read that minds failures leaves the first.
    pub(crate) unread: Option<&'a Unread>,
    pub(crate) keeping: &'a dyn Keeping,
}

/// Says for how long each level keeps for failures what was expired.
pub(crate) trait Keeping: Send + Sync {
    fn kept_at(&self, level: usize) -> Duration;
}

/// Levels that a call does not read from, or does not write to; a bit a level.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skip {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
}

/// The first failure of a store in a read.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) error: OnceLock<Error>,
    /// Whether the read ends with it: no level behind is asked.
    pub(crate) is_the_end: bool,
}

impl std::fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Cx<'_> {
    /// The context of the levels after the first `levels`.
    pub(crate) fn below(mut self, levels: usize) -> Self {
        self.base += levels;
        self
    }

    /// The parts that say where and when.
    pub(crate) fn witness(&self) -> Witness<'_> {
        let level = self.counters.level(self.base);
        Witness { clock: &**self.clock, level, observers: self.observers }
    }

    /// Whether the call does not read from this level.
    pub(crate) fn skips_read(&self) -> bool {
        self.skip.reads >> self.base & 1 == 1
    }

    /// Whether the call does not write to this level.
    pub(crate) fn skips_write(&self) -> bool {
        self.skip.writes >> self.base & 1 == 1
    }

    /// What the marks, and the time, leave of a value that the level keeps itself.
    pub(crate) async fn judged<V: Send + Sync>(&self, entry: Entry<V>) -> Option<Fetched<V>> {
        let verdict = self.coherence.judge_thoroughly(&entry, self.address, self.clock.now_exact()).await;
        self.left(entry, verdict)
    }

    /// What such a verdict, and the time, leave of an entry.
    pub(crate) fn left<V>(&self, entry: Entry<V>, verdict: Verdict) -> Option<Fetched<V>> {
        let entry = Coherence::left(entry, verdict, || self.keeping.kept_at(self.base))?;
        Fetched::of(entry, self.base, self.clock.now_exact())
    }

    /// Whether a guard is planted where nothing is: for what is loaded, or copied from a level behind.
    pub(crate) fn plants(&self) -> bool {
        self.tokens.is_some() && (self.loads || self.base + 1 < self.depth)
    }

    pub(crate) fn note_token(&self, token: Option<Token>) {
        if let (Some(tokens), Some(token)) = (self.tokens, token) {
            tokens.note(self.base, token);
        }
    }

    /// The token of the record that the operation has seen at this level.
    pub(crate) fn token(&self) -> Option<Token> {
        self.tokens?.of(self.base)
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment::of(&**self.clock)
    }

    /// Puts the level's name on the error.
    pub(crate) fn at_level(&self, error: Error) -> Error {
        error.at_level(&*self.counters.level(self.base).name)
    }

    /// Counts and reports that the level failed, and returns the error with the level's name on it.
    pub(crate) fn failed(&self, operation: Operation, error: Error) -> Error {
        let error = self.observers.level_failed(self.counters.level(self.base), operation, error);
        if let Some(unread) = self.unread
            && operation == Operation::Read
            && !error.kind().is_about_the_value()
        {
            let _ = unread.error.set(error.clone());
        }
        error
    }

    /// Whether a level in front failed to answer.
    pub(crate) fn has_failed(&self) -> bool {
        self.unread.is_some_and(|unread| unread.error.get().is_some())
    }

    /// Whether no level behind needs to be asked.
    pub(crate) fn is_settled_by<V>(&self, found: &Fetched<V>) -> bool {
        found.freshness == Freshness::Fresh && !self.is_too_old(found)
    }

    /// Whether the call has no use for it.
    pub(crate) fn is_too_old<V>(&self, found: &Fetched<V>) -> bool {
        Some(found.entry.loaded_at()) < self.floor
    }

    /// Whether a level has failed and none behind it is to be asked.
    pub(crate) fn gives_up(&self) -> bool {
        self.unread.is_some_and(|unread| unread.is_the_end && unread.error.get().is_some())
    }
}

/// What a level is made of, for people.
#[derive(Clone, Debug)]
pub struct Description {
    pub(crate) store: &'static str,
    pub(crate) codec: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) usage: Option<Usage>,
    pub(crate) breaker: Option<BreakerState>,
    /// Keys that are queued; `None` without a queue.
    pub(crate) pending: Option<u64>,
}

/// The name of a type without its path and parameters.
pub(crate) fn short_name<T: ?Sized>() -> &'static str {
    let mut full = std::any::type_name::<T>();
    // One store behind a pointer is still that store.
    while let Some(inner) = full.strip_prefix("alloc::sync::Arc<") {
        full = inner;
    }
    let path = full.split(['<', '>']).next().unwrap_or(full);
    path.rsplit("::").next().unwrap_or(path)
}
