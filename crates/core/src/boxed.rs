//! A cache whose levels are hidden behind a pointer. Documented at [`Cache::boxed`](crate::Cache::boxed).

use crate::codec::PerLevel;
use crate::crowd::BoxFuture;
use crate::holds::{Cx, Description, Drain, Fetched, Gift, Holds, Look, Step};
use crate::shared_log::SharedLog;
use crate::store::{Condemned, EachEntry};
use crate::{Coherence, Level, Lookup, Result, Time};
use std::sync::Arc;
use std::time::Duration;

/// The levels of a cache in erased form, which is what `Cache<K, V>` has.
pub struct Boxed<K: ?Sized, V>(Arc<dyn Erased<K, V>>);

impl<K: ?Sized, V> std::fmt::Debug for Boxed<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Boxed").finish_non_exhaustive()
    }
}

impl<K, V> Boxed<K, V>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new<S, C>(level: Level<S, C>) -> Self
    where
        S: Send + Sync + 'static,
        C: Holds<S, K, V>,
    {
        Boxed(Arc::new(level))
    }
}

/// The twin of [`Holds`] that can be a trait object. One blanket impl joins them; nothing else implements it.
trait Erased<K: ?Sized, V>: Send + Sync {
    fn depth(&self) -> usize;
    fn look(&self, key: &K, now: Time) -> Look<V>;
    fn hit(&self, key: &K, now: Time, coherence: &Coherence) -> std::result::Result<V, Look<V>>;
    fn fetch<'a>(&'a self, cx: Cx<'a>, key: &'a K, from: usize) -> BoxFuture<'a, Option<Fetched<V>>>;
    fn put<'a>(
        &'a self,
        cx: Cx<'a>,
        key: &'a K,
        value: Gift<'a, V>,
        plan: &'a [Step],
    ) -> BoxFuture<'a, Result<()>>;
    fn remove<'a>(&'a self, cx: Cx<'a>, key: &'a K) -> BoxFuture<'a, Result<()>>;
    fn expire<'a>(&'a self, cx: Cx<'a>, key: &'a K, kept: &'a [Duration]) -> BoxFuture<'a, Result<()>>;
    fn void<'a>(&'a self, cx: Cx<'a>, key: &'a K) -> BoxFuture<'a, Result<()>>;
    fn log(&self) -> Option<Arc<dyn SharedLog>>;
    fn address(&self, key: &K) -> Option<String>;
    fn clear<'a>(&'a self, cx: Cx<'a>) -> BoxFuture<'a, Result<()>>;
    fn remove_where(&self, cx: Cx<'_>, condemned: &Condemned<'_, K, V>) -> Result<u64>;
    fn for_each(&self, each: &mut EachEntry<'_, K, V>) -> bool;
    fn drain<'a>(&'a self, cx: Cx<'a>, how: Drain) -> BoxFuture<'a, Result<()>>;
    fn keeps(&self, plan: &[Step]) -> bool;
    fn waits(&self, plan: &[Step]) -> bool;
    fn sweep(&self, now: Time);
    fn describe(&self, out: &mut Vec<Description>);
}

impl<K, V, S, C> Erased<K, V> for Level<S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    fn depth(&self) -> usize {
        C::depth(self)
    }
    fn look(&self, key: &K, now: Time) -> Look<V> {
        C::look(self, key, now)
    }
    fn hit(&self, key: &K, now: Time, coherence: &Coherence) -> std::result::Result<V, Look<V>> {
        C::hit(self, key, now, coherence)
    }
    fn fetch<'a>(&'a self, cx: Cx<'a>, key: &'a K, from: usize) -> BoxFuture<'a, Option<Fetched<V>>> {
        Box::pin(C::fetch(self, cx, key, from))
    }
    fn put<'a>(
        &'a self,
        cx: Cx<'a>,
        key: &'a K,
        value: Gift<'a, V>,
        plan: &'a [Step],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(C::put(self, cx, key, value, plan))
    }
    fn remove<'a>(&'a self, cx: Cx<'a>, key: &'a K) -> BoxFuture<'a, Result<()>> {
        Box::pin(C::remove(self, cx, key))
    }
    fn expire<'a>(&'a self, cx: Cx<'a>, key: &'a K, kept: &'a [Duration]) -> BoxFuture<'a, Result<()>> {
        Box::pin(C::expire(self, cx, key, kept))
    }
    fn void<'a>(&'a self, cx: Cx<'a>, key: &'a K) -> BoxFuture<'a, Result<()>> {
        Box::pin(C::void(self, cx, key))
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        C::log(self)
    }
    fn address(&self, key: &K) -> Option<String> {
        C::address(self, key)
    }
    fn clear<'a>(&'a self, cx: Cx<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(C::clear(self, cx))
    }
    fn remove_where(&self, cx: Cx<'_>, condemned: &Condemned<'_, K, V>) -> Result<u64> {
        C::remove_where(self, cx, condemned)
    }

    fn for_each(&self, each: &mut EachEntry<'_, K, V>) -> bool {
        C::for_each(self, each)
    }
    fn drain<'a>(&'a self, cx: Cx<'a>, how: Drain) -> BoxFuture<'a, Result<()>> {
        Box::pin(C::drain(self, cx, how))
    }
    fn keeps(&self, plan: &[Step]) -> bool {
        C::keeps(self, plan)
    }
    fn waits(&self, plan: &[Step]) -> bool {
        C::waits(self, plan)
    }
    fn sweep(&self, now: Time) {
        C::sweep(self, now);
    }
    fn describe(&self, out: &mut Vec<Description>) {
        C::describe(self, out);
    }
}

type Erasure<K, V> = Level<Boxed<K, V>, PerLevel>;

impl<K, V> Holds<Boxed<K, V>, K, V> for PerLevel
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
{
    fn depth(level: &Erasure<K, V>) -> usize {
        level.store.0.depth()
    }
    #[inline]
    fn look(level: &Erasure<K, V>, key: &K, now: Time) -> Look<V> {
        level.store.0.look(key, now)
    }
    #[inline]
    fn hit(
        level: &Erasure<K, V>,
        key: &K,
        now: Time,
        coherence: &Coherence,
    ) -> std::result::Result<V, Look<V>> {
        level.store.0.hit(key, now, coherence)
    }
    async fn fetch(level: &Erasure<K, V>, cx: Cx<'_>, key: &K, from: usize) -> Option<Fetched<V>> {
        level.store.0.fetch(cx, key, from).await
    }
    async fn put(
        level: &Erasure<K, V>,
        cx: Cx<'_>,
        key: &K,
        value: Gift<'_, V>,
        plan: &[Step],
    ) -> Result<()> {
        level.store.0.put(cx, key, value, plan).await
    }
    async fn remove(level: &Erasure<K, V>, cx: Cx<'_>, key: &K) -> Result<()> {
        level.store.0.remove(cx, key).await
    }
    async fn expire(level: &Erasure<K, V>, cx: Cx<'_>, key: &K, kept: &[Duration]) -> Result<()> {
        level.store.0.expire(cx, key, kept).await
    }
    async fn void(level: &Erasure<K, V>, cx: Cx<'_>, key: &K) -> Result<()> {
        level.store.0.void(cx, key).await
    }
    fn log(level: &Erasure<K, V>) -> Option<Arc<dyn SharedLog>> {
        level.store.0.log()
    }
    fn address(level: &Erasure<K, V>, key: &K) -> Option<String> {
        level.store.0.address(key)
    }
    async fn clear(level: &Erasure<K, V>, cx: Cx<'_>) -> Result<()> {
        level.store.0.clear(cx).await
    }
    fn remove_where(level: &Erasure<K, V>, cx: Cx<'_>, condemned: &Condemned<'_, K, V>) -> Result<u64> {
        level.store.0.remove_where(cx, condemned)
    }
    fn for_each(level: &Erasure<K, V>, each: &mut EachEntry<'_, K, V>) -> bool {
        level.store.0.for_each(each)
    }
    async fn drain(level: &Erasure<K, V>, cx: Cx<'_>, how: Drain) -> Result<()> {
        level.store.0.drain(cx, how).await
    }
    fn keeps(level: &Erasure<K, V>, plan: &[Step]) -> bool {
        level.store.0.keeps(plan)
    }
    fn waits(level: &Erasure<K, V>, plan: &[Step]) -> bool {
        level.store.0.waits(plan)
    }
    fn sweep(level: &Erasure<K, V>, now: Time) {
        level.store.0.sweep(now);
    }
    fn describe(level: &Erasure<K, V>, out: &mut Vec<Description>) {
        level.store.0.describe(out);
    }
}
