//! A level that keeps values themselves.

use crate::codec::Native;
use crate::event::Operation;
use crate::holds::{Cx, Description, Drain, Fetched, Gift, Holds, Look, Step, short_name};
use crate::shared_log::SharedLog;
use crate::{
    Coherence, Entry, Error, ErrorKind, Freshness, Level, Lookup, Result, Store, Time,
    store::{Cleared, Condemned, EachEntry},
};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

impl<K, V, S> Holds<S, K, V> for Native
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Store<K, Value = V>,
{
    #[inline]
    fn depth(_: &Level<S, Self>) -> usize {
        1
    }

    #[inline]
    fn look(level: &Level<S, Self>, key: &K, now: Time) -> Look<V> {
        match level.store.get_now(key) {
            Poll::Ready(held) => Look::of(held, now),
            Poll::Pending => Look::Ask(0, None),
        }
    }

    #[inline]
    fn hit(
        level: &Level<S, Self>,
        key: &K,
        now: Time,
        coherence: &Coherence,
    ) -> std::result::Result<V, Look<V>> {
        match level.store.get_now(key) {
            Poll::Ready(Some(entry)) if entry.is_settled(now) && entry.is_calm(coherence, now) => {
                Ok(entry.into_value())
            }
            Poll::Ready(held) => Err(Look::of(held, now)),
            Poll::Pending => Err(Look::Ask(0, None)),
        }
    }

    async fn fetch(level: &Level<S, Self>, cx: Cx<'_>, key: &K, from: usize) -> Option<Fetched<V>> {
        if from > 0 || cx.skips_read() {
            return None;
        }
        match guarded(level, cx, Operation::Read, pin!(level.store.get(key))).await {
            Ok(held) => {
                let found = cx.judged(held?).await?;
                found.entry.touch(cx.clock.now_exact());
                Some(found)
            }
            Err(error) => {
                cx.failed(Operation::Read, error);
                None
            }
        }
    }

    async fn put(
        level: &Level<S, Self>,
        cx: Cx<'_>,
        key: &K,
        value: Gift<'_, V>,
        plan: &[Step],
    ) -> Result<()> {
        match &plan[0] {
            _ if cx.skips_write() => Ok(()),
            Step::Leave => Ok(()),
            Step::Remove => Self::remove(level, cx, key).await,
            Step::Write(stamp) => {
                cx.counters.level(cx.base).writes.add();
                write(level, cx, key, Entry::with_life(value.keep(), stamp.life, stamp.extra.clone())).await
            }
        }
    }

    async fn remove(level: &Level<S, Self>, cx: Cx<'_>, key: &K) -> Result<()> {
        if cx.skips_write() {
            return Ok(());
        }
        let removed = guarded(level, cx, Operation::Remove, pin!(level.store.remove(key))).await;
        removed.map_err(|error| cx.failed(Operation::Remove, error))
    }

    async fn expire(level: &Level<S, Self>, cx: Cx<'_>, key: &K, kept: &[Duration]) -> Result<()> {
        if cx.skips_write() {
            return Ok(());
        }
        if kept[0].is_zero() {
            return Self::remove(level, cx, key).await;
        }
        let held = guarded(level, cx, Operation::Read, pin!(level.store.get(key))).await;
        let held = held.map_err(|error| cx.failed(Operation::Read, error));
        // Not the exact time: reads in memory are judged by this one, which may lag, and are to miss from now on.
        let now = cx.clock.now();
        match held.map(|held| held.map(|entry| entry.expired(now, kept[0]))) {
            Ok(Some(entry)) if entry.freshness(now) == Freshness::Kept => write(level, cx, key, entry).await,
            Ok(None) => Ok(()),
            // What cannot be read cannot be kept for failures either.
            Ok(Some(_)) | Err(_) => Self::remove(level, cx, key).await,
        }
    }

    async fn void(_: &Level<S, Self>, _: Cx<'_>, _: &K) -> Result<()> {
        Ok(())
    }

    fn log(_: &Level<S, Self>) -> Option<Arc<dyn SharedLog>> {
        None
    }

    fn address(_: &Level<S, Self>, _: &K) -> Option<String> {
        None
    }

    async fn clear(level: &Level<S, Self>, cx: Cx<'_>) -> Result<()> {
        if cx.skips_write() {
            return Ok(());
        }
        let answer = guarded(level, cx, Operation::Clear, pin!(level.store.clear())).await;
        cleared(answer).map_err(|error| cx.failed(Operation::Clear, error))
    }

    fn remove_where(level: &Level<S, Self>, cx: Cx<'_>, condemned: &Condemned<'_, K, V>) -> Result<u64> {
        if cx.skips_write() {
            return Ok(0);
        }
        level.store.remove_where(condemned).ok_or_else(|| cx.failed(Operation::Remove, blind()))
    }

    fn for_each(level: &Level<S, Self>, each: &mut EachEntry<'_, K, V>) -> bool {
        level.store.for_each(each)
    }

    async fn drain(_: &Level<S, Self>, _: Cx<'_>, _: Drain) -> Result<()> {
        Ok(())
    }

    fn keeps(_: &Level<S, Self>, plan: &[Step]) -> bool {
        matches!(plan[0], Step::Write(_))
    }

    fn waits(level: &Level<S, Self>, plan: &[Step]) -> bool {
        !matches!(plan[0], Step::Leave) && !level.store.capabilities().immediate
    }

    fn sweep(level: &Level<S, Self>, now: Time) {
        level.store.sweep(now);
    }

    fn describe(level: &Level<S, Self>, out: &mut Vec<Description>) {
        let usage = level.store.usage();
        let breaker = if level.store.capabilities().immediate { None } else { level.guard.state() };
        out.push(Description {
            store: short_name::<S>(),
            codec: None,
            namespace: None,
            usage,
            breaker,
            pending: None,
        });
    }
}

/// Asks the store through the level's guard, unless it never waits.
async fn guarded<K, S, T>(
    level: &Level<S, Native>,
    cx: Cx<'_>,
    operation: Operation,
    call: Pin<&mut (impl Future<Output = Result<T>> + Send)>,
) -> Result<T>
where
    K: ?Sized,
    S: Store<K>,
    T: Send,
{
    if level.store.capabilities().immediate {
        call.await
    } else {
        level.guard.run(cx.witness(), operation, call).await
    }
}

async fn write<K, V, S>(level: &Level<S, Native>, cx: Cx<'_>, key: &K, entry: Entry<V>) -> Result<()>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Store<K, Value = V>,
{
    let written = guarded(level, cx, Operation::Write, pin!(level.store.insert(key, entry))).await;
    written.map_err(|error| cx.failed(Operation::Write, error))
}

/// A store cannot look at all its entries.
pub(crate) fn blind() -> Error {
    let cure = "tag the entries and invalidate the tag, or leave this level out by `skip_level`";
    Error::new(ErrorKind::Unsupported, format!("it cannot look at all its entries: {cure}"))
}

/// A store that cannot clear has not done what was asked.
pub(crate) fn cleared(answer: Result<Cleared>) -> Result<()> {
    match answer? {
        Cleared::Done => Ok(()),
        Cleared::Unsupported => Err(Error::new(
            ErrorKind::Unsupported,
            "it cannot remove all its entries; remove them by key, or change the namespace",
        )),
    }
}
