//! A level that keeps values themselves.

use crate::codec::Native;
use crate::event::Operation;
use crate::holds::{Cx, Description, Drain, Fetched, Gift, Holds, Look, Step, short_name};
use crate::{Entry, Error, ErrorKind, Level, Lookup, Result, Store, Time, store::Cleared};
use std::task::Poll;

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

    async fn fetch(level: &Level<S, Self>, cx: Cx<'_>, key: &K, from: usize) -> Option<Fetched<V>> {
        if from > 0 {
            return None;
        }
        match level.store.get(key).await {
            Ok(held) => Fetched::of(held?, cx.base, cx.clock.now_exact()),
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
        match plan[0] {
            Step::Leave => Ok(()),
            Step::Remove => Self::remove(level, cx, key).await,
            Step::Write(stamp) => {
                cx.counters.level(cx.base).writes.add();
                let entry = Entry::with_life(value.keep(), stamp.0);
                level.store.insert(key, entry).await.map_err(|error| cx.failed(Operation::Write, error))
            }
        }
    }

    async fn remove(level: &Level<S, Self>, cx: Cx<'_>, key: &K) -> Result<()> {
        level.store.remove(key).await.map_err(|error| cx.failed(Operation::Remove, error))
    }

    async fn clear(level: &Level<S, Self>, cx: Cx<'_>) -> Result<()> {
        cleared(level.store.clear().await).map_err(|error| cx.failed(Operation::Clear, error))
    }

    async fn drain(_: &Level<S, Self>, _: Cx<'_>, _: Drain) -> Result<()> {
        Ok(())
    }

    fn keeps(_: &Level<S, Self>, plan: &[Step]) -> bool {
        matches!(plan[0], Step::Write(_))
    }

    fn waits(level: &Level<S, Self>, plan: &[Step]) -> bool {
        plan[0] != Step::Leave && !level.store.capabilities().immediate
    }

    fn sweep(level: &Level<S, Self>, now: Time) {
        level.store.sweep(now);
    }

    fn describe(level: &Level<S, Self>, out: &mut Vec<Description>) {
        let usage = level.store.usage();
        out.push(Description {
            store: short_name::<S>(),
            codec: None,
            namespace: None,
            usage,
            pending: None,
        });
    }
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
