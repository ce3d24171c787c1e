//! A cache whose loads are gathered into calls for many keys. Documented at
//! [`Cache::batch_loader`](crate::Cache::batch_loader).

use crate::batch::{BatchFn, Batcher, Rules};
use crate::codec::PerLevel;
use crate::crowd::BoxFuture;
use crate::holds::Holds;
use crate::{Boxed, Cache, Loading, Lookup};
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A cache whose `get` loads, many keys in one call: what [`Cache::batch_loader`](crate::Cache::batch_loader) makes.
///
/// All else is done as in [`Loading`], which it derefs to; [`boxed`](Self::boxed) makes it one. Its own methods say how keys
/// are gathered, and begin anew: what the handle before has gathered is not shared.
#[must_use = "a cache does nothing until it is asked"]
pub struct BatchLoading<K: ?Sized + Lookup, T, E, S = Boxed<K, Option<T>>, C = PerLevel> {
    loading: Loading<K, Option<T>, E, S, C>,
    load: Arc<BatchFn<K, T, E>>,
    rules: Rules,
}

impl<K, T, E, S, C> BatchLoading<K, T, E, S, C>
where
    K: ?Sized + Lookup,
    T: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, Option<T>>,
{
    pub(crate) fn new<F, Fut, I>(cache: Cache<K, Option<T>, S, C>, load: F) -> Self
    where
        F: Fn(Vec<K::Owned>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<I, E>> + Send + 'static,
        I: IntoIterator<Item = (K::Owned, T)>,
    {
        let load = Arc::new(move |keys| -> BoxFuture<'static, _> {
            let loaded = load(keys);
            Box::pin(async move { Ok(loaded.await?.into_iter().collect()) })
        });
        Self::assemble(cache, load, Rules::default())
    }

    fn assemble(cache: Cache<K, Option<T>, S, C>, load: Arc<BatchFn<K, T, E>>, rules: Rules) -> Self {
        let mut batcher = Batcher::new(Arc::clone(&load), rules, &cache.inner);
        batcher.remembers_absence = cache.policy.loads.negative.is_some();
        if rules.keeps_extra {
            let cache = cache.clone();
            batcher.keeper = Some(Arc::new(move || cache.extra_keeper()));
        }
        let batcher = Arc::new(batcher);
        let one = move |cx| -> BoxFuture<'static, _> { Box::pin(Arc::clone(&batcher).load(cx)) };
        BatchLoading { loading: Loading::of(cache, Arc::new(one)), load, rules }
    }

    fn with_rules(self, change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = self.rules;
        change(&mut rules);
        Self::assemble(self.loading.into_cache(), self.load, rules)
    }

    /// Sets how long the first key of a call waits for others. Zero: until the tasks that are ready to ask have asked.
    ///
    /// Longer windows make larger calls, and each load takes that much longer. Where all of
    /// [`concurrency`](Self::concurrency) is under way, keys are gathered for longer anyway.
    ///
    /// # Default
    ///
    /// 1 ms.
    pub fn window(self, window: Duration) -> Self {
        self.with_rules(|rules| rules.window = window)
    }

    /// Sets how many keys a call has at most. One that has as many is made at once.
    ///
    /// # Default
    ///
    /// 100.
    ///
    /// # Panics
    ///
    /// If `keys` is 0.
    pub fn max_batch(self, keys: usize) -> Self {
        assert!(keys > 0, "with calls of 0 keys nothing would ever be loaded: say at least 1");
        self.with_rules(|rules| rules.max_batch = keys)
    }

    /// Sets how many calls may be under way at a time. The others wait for their turn, and gather keys meanwhile.
    ///
    /// A call that asks this cache for further keys keeps its place meanwhile. What it asks for does not wait for a place, or
    /// they would wait for each other; that is noticed after 10 ms, and then more calls are under way than was said.
    ///
    /// # Default
    ///
    /// 16.
    ///
    /// # Panics
    ///
    /// If `calls` is 0.
    pub fn concurrency(self, calls: usize) -> Self {
        assert!(calls > 0, "with a concurrency of 0 nothing would ever be loaded: say at least 1");
        self.with_rules(|rules| rules.concurrency = calls)
    }

    /// Has answers stored that nobody asked for, as where a source returns whole pages.
    ///
    /// They count as loaded when their call began. One whose key was inserted, removed or loaded since then is dropped. They
    /// take the place of what is there.
    ///
    /// # Default
    ///
    /// They are dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use std::convert::Infallible;
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// /// All of the row that a key is in.
    /// async fn rows(keys: Vec<u32>) -> Result<Vec<(u32, String)>, Infallible> {
    ///     let row = |key: u32| (key / 10 * 10..key / 10 * 10 + 10).map(|key| (key, format!("cell {key}")));
    ///     Ok(keys.into_iter().flat_map(row).collect())
    /// }
    ///
    /// let cells = Cache::new(Memory::<u32, Option<String>>::new(1_000)).batch_loader(rows).keep_extra();
    /// assert_eq!(cells.get(&42).await?.as_deref(), Some("cell 42"));
    /// # tokio::task::yield_now().await;
    /// assert_eq!(cells.get_now(&47).flatten().as_deref(), Some("cell 47"));
    /// # Ok::<_, larder::LoadError<Infallible>>(()) }).unwrap();
    /// ```
    pub fn keep_extra(self) -> Self {
        self.with_rules(|rules| rules.keeps_extra = true)
    }

    /// Hides the levels, and how it loads: the type for struct fields is `Loading<K, Option<T>, E>`. See
    /// [`Cache::boxed`](crate::Cache::boxed).
    pub fn boxed(self) -> Loading<K, Option<T>, E> {
        self.loading.boxed()
    }
}

impl<K: ?Sized + Lookup, T, E, S, C> Deref for BatchLoading<K, T, E, S, C> {
    type Target = Loading<K, Option<T>, E, S, C>;

    fn deref(&self) -> &Self::Target {
        &self.loading
    }
}

impl<K: ?Sized + Lookup, T, E, S, C> Clone for BatchLoading<K, T, E, S, C> {
    fn clone(&self) -> Self {
        BatchLoading { loading: self.loading.clone(), load: Arc::clone(&self.load), ..*self }
    }
}

impl<K, T, E, S, C> fmt::Debug for BatchLoading<K, T, E, S, C>
where
    K: ?Sized + Lookup,
    C: Holds<S, K, Option<T>>,
{
    /// Prints the cache, and how its loads are gathered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rules { window, max_batch, concurrency, .. } = self.rules;
        let mut out = f.debug_struct("BatchLoading");
        out.field("cache", &self.loading).field("window", &window);
        out.field("max_batch", &max_batch).field("concurrency", &concurrency).finish_non_exhaustive()
    }
}
