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
use crate::coherence::Since;
use crate::entry::Lifetime;
use crate::extra::Extra;
use crate::shared_log::SharedLog;
use crate::store::{Condemned, EachEntry, Usage};
use crate::terms::Terms;
use crate::{Coherence, Entry, Freshness, Level, Result, Time};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use crate::cx::{Cx, Keeping, Skip, Unread};

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

    /// Removes what `condemned` says yes to from every level, the lowest first, and returns how many that were in the
    /// level that had most. An error, and no more is removed, where a level cannot look at all its entries.
    #[doc(hidden)]
    fn remove_where(level: &Level<S, Self>, cx: Cx<'_>, condemned: &Condemned<'_, K, V>) -> Result<u64>;

    /// Hands every entry of the first level to `each`; `false` where that cannot look at all its entries.
    #[doc(hidden)]
    fn for_each(level: &Level<S, Self>, each: &mut EachEntry<'_, K, V>) -> bool;

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
