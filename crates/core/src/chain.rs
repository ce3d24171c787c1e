//! Two levels, one behind the other. The behaviour is documented at [`Cache::chain`](crate::Cache::chain).

use crate::codec::PerLevel;
use crate::holds::{Cx, Description, Drain, Fetched, Gift, Holds, Look, Step};
use crate::shared_log::SharedLog;
use crate::store::{Condemned, EachEntry};
use crate::{Level, Lookup, Result, Time};
use std::sync::Arc;
use std::time::Duration;

/// The store behind [`Cache::chain`](crate::Cache::chain): `A` in front, `B` behind it. Either may be a chain.
#[derive(Debug)]
pub struct Chain<A, B> {
    pub(crate) front: A,
    pub(crate) back: B,
}

type Pair<S1, C1, S2, C2> = Chain<Level<S1, C1>, Level<S2, C2>>;

impl<K, V, S1, C1, S2, C2> Holds<Pair<S1, C1, S2, C2>, K, V> for PerLevel
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S1: Send + Sync + 'static,
    C1: Holds<S1, K, V>,
    S2: Send + Sync + 'static,
    C2: Holds<S2, K, V>,
{
    #[inline]
    fn depth(level: &Level<Pair<S1, C1, S2, C2>, Self>) -> usize {
        C1::depth(&level.store.front) + C2::depth(&level.store.back)
    }

    #[inline]
    fn look(level: &Level<Pair<S1, C1, S2, C2>, Self>, key: &K, now: Time) -> Look<V> {
        C1::look(&level.store.front, key, now)
    }

    async fn fetch(
        level: &Level<Pair<S1, C1, S2, C2>, Self>,
        cx: Cx<'_>,
        key: &K,
        from: usize,
    ) -> Option<Fetched<V>> {
        let Chain { front, back } = &*level.store;
        let ahead = C1::depth(front);
        let upper = if from < ahead { C1::fetch(front, cx, key, from).await } else { None };
        if cx.gives_up() || upper.as_ref().is_some_and(|found| cx.is_settled_by(found)) {
            return upper;
        }
        // A stale entry in front does not hide a fresh one behind it.
        let lower = C2::fetch(back, cx.below(ahead), key, from.saturating_sub(ahead)).await;
        match (upper, lower) {
            (Some(upper), Some(lower)) if upper.freshness <= lower.freshness && !cx.is_too_old(&upper) => {
                Some(upper)
            }
            (upper, lower) => lower.or(upper),
        }
    }

    async fn put(
        level: &Level<Pair<S1, C1, S2, C2>, Self>,
        cx: Cx<'_>,
        key: &K,
        value: Gift<'_, V>,
        plan: &[Step],
    ) -> Result<()> {
        let Chain { front, back } = &*level.store;
        let (ahead, behind) = plan.split_at(C1::depth(front));
        let below = cx.below(ahead.len());
        // Whoever keeps the value itself is given it last; the other one only looks at it.
        if C1::keeps(front, ahead) {
            let lower = C2::put(back, below, key, Gift::Lend(value.get()), behind).await;
            C1::put(front, cx, key, value, ahead).await.and(lower)
        } else {
            let upper = C1::put(front, cx, key, Gift::Lend(value.get()), ahead).await;
            upper.and(C2::put(back, below, key, value, behind).await)
        }
    }

    async fn remove(level: &Level<Pair<S1, C1, S2, C2>, Self>, cx: Cx<'_>, key: &K) -> Result<()> {
        let Chain { front, back } = &*level.store;
        let lower = C2::remove(back, cx.below(C1::depth(front)), key).await;
        C1::remove(front, cx, key).await.and(lower)
    }

    async fn expire(
        level: &Level<Pair<S1, C1, S2, C2>, Self>,
        cx: Cx<'_>,
        key: &K,
        kept: &[Duration],
    ) -> Result<()> {
        let Chain { front, back } = &*level.store;
        let (ahead, behind) = kept.split_at(C1::depth(front));
        let lower = C2::expire(back, cx.below(ahead.len()), key, behind).await;
        C1::expire(front, cx, key, ahead).await.and(lower)
    }

    async fn void(level: &Level<Pair<S1, C1, S2, C2>, Self>, cx: Cx<'_>, key: &K) -> Result<()> {
        let Chain { front, back } = &*level.store;
        let lower = C2::void(back, cx.below(C1::depth(front)), key).await;
        C1::void(front, cx, key).await.and(lower)
    }

    fn log(level: &Level<Pair<S1, C1, S2, C2>, Self>) -> Option<Arc<dyn SharedLog>> {
        C1::log(&level.store.front).or_else(|| C2::log(&level.store.back))
    }

    fn address(level: &Level<Pair<S1, C1, S2, C2>, Self>, key: &K) -> Option<String> {
        let Chain { front, back } = &*level.store;
        let is_behind = C1::log(front).is_none() && C2::log(back).is_some();
        let ahead = if is_behind { None } else { C1::address(front, key) };
        ahead.or_else(|| C2::address(back, key))
    }

    async fn clear(level: &Level<Pair<S1, C1, S2, C2>, Self>, cx: Cx<'_>) -> Result<()> {
        let Chain { front, back } = &*level.store;
        let lower = C2::clear(back, cx.below(C1::depth(front))).await;
        C1::clear(front, cx).await.and(lower)
    }

    fn remove_where(
        level: &Level<Pair<S1, C1, S2, C2>, Self>,
        cx: Cx<'_>,
        condemned: &Condemned<'_, K, V>,
    ) -> Result<u64> {
        let Chain { front, back } = &*level.store;
        let lower = C2::remove_where(back, cx.below(C1::depth(front)), condemned)?;
        Ok(lower.max(C1::remove_where(front, cx, condemned)?))
    }

    fn for_each(level: &Level<Pair<S1, C1, S2, C2>, Self>, each: &mut EachEntry<'_, K, V>) -> bool {
        C1::for_each(&level.store.front, each)
    }

    async fn drain(level: &Level<Pair<S1, C1, S2, C2>, Self>, cx: Cx<'_>, how: Drain) -> Result<()> {
        let Chain { front, back } = &*level.store;
        let upper = C1::drain(front, cx, how).await;
        upper.and(C2::drain(back, cx.below(C1::depth(front)), how).await)
    }

    fn keeps(level: &Level<Pair<S1, C1, S2, C2>, Self>, plan: &[Step]) -> bool {
        let Chain { front, back } = &*level.store;
        let (ahead, behind) = plan.split_at(C1::depth(front));
        C1::keeps(front, ahead) || C2::keeps(back, behind)
    }

    fn waits(level: &Level<Pair<S1, C1, S2, C2>, Self>, plan: &[Step]) -> bool {
        let Chain { front, back } = &*level.store;
        let (ahead, behind) = plan.split_at(C1::depth(front));
        C1::waits(front, ahead) || C2::waits(back, behind)
    }

    fn sweep(level: &Level<Pair<S1, C1, S2, C2>, Self>, now: Time) {
        C1::sweep(&level.store.front, now);
        C2::sweep(&level.store.back, now);
    }

    fn describe(level: &Level<Pair<S1, C1, S2, C2>, Self>, out: &mut Vec<Description>) {
        C1::describe(&level.store.front, out);
        C2::describe(&level.store.back, out);
    }
}
