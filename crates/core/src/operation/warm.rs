//! Loading many keys before they are asked for: [`warm`](Cache::warm).

mod keys;
mod report;
mod stream;
mod tally;

pub use report::{WarmProgress, WarmReport, Warmed};

pub(crate) use tally::Tally;

use crate::crowd::Crowd;
use crate::fly::Loaded;
use crate::holds::Holds;
use crate::seat::erased;
use crate::{Cache, CallOptions, LoadContext, Loading, Lookup};
use keys::Keys;
use std::borrow::Borrow;
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// How many keys are seen to at a time, unless somebody says.
pub(crate) const CONCURRENCY: usize = 16;

type Key<K> = <K as ToOwned>::Owned;
type Load<K, E> = Pin<Box<dyn Future<Output = (K, Warmed<E>)> + Send>>;

/// Loads that are to be done: what [`Cache::warm`] and [`Loading::warm`] make, and their forms for streams. It is awaited.
#[must_use = "nothing is loaded before it is awaited"]
pub struct Warm<'a, K, E> {
    keys: Keys<'a, K>,
    load: Box<dyn Fn(K) -> Load<K, E> + Send + 'a>,
    concurrency: usize,
    tell: Option<Box<dyn FnMut(WarmProgress) + Send + 'a>>,
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads with `load` those of the `keys` that no level has fresh, a few at a time, before traffic comes.
    ///
    /// Each is loaded as by [`get_or_load`](Self::get_or_load): what a lower level has is copied up, and a key that is being
    /// loaded is waited for. But a stale value is loaded anew, and its load waited for. A load that fails
    /// harms no other, and leaves what was there; what is remembered of earlier failures, and what stands in for a value, does not count.
    ///
    /// It returns what became of each key. Without a runtime it works as well, inside its caller.
    ///
    /// # Default
    ///
    /// - [`concurrency`](Warm::concurrency): 16 keys
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the loads that have begun go on, and no other begins. (Without a runtime they stop.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    ///
    /// let report = ages.warm(["36", "12", "old"], async |name: String| name.parse::<u32>()).concurrency(2).await;
    /// assert_eq!((report.loaded(), report.failed()), (2, 1));
    /// assert_eq!(report.to_string(), "2 loaded, 0 there already, 1 failed");
    /// assert_eq!(ages.get("36").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn warm<'a, I, F, Fut, E>(&self, keys: I, load: F) -> Warm<'a, Key<K>, E>
    where
        I: IntoIterator<Item: Into<Key<K>> + 'a, IntoIter: Send + 'a>,
        F: Fn(Key<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        self.warm_each(Keys::of(keys), load)
    }

    fn warm_each<'a, F, Fut, E>(&self, keys: Keys<'a, Key<K>>, load: F) -> Warm<'a, Key<K>, E>
    where
        F: Fn(Key<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let load = Arc::new(load);
        self.warm_with(keys, move || {
            let load = Arc::clone(&load);
            move |cx: LoadContext<K, V>| erased(load(cx.key().to_owned()))
        })
    }

    /// `loader` makes a load for each key, which fails with an `E`.
    fn warm_with<'a, L, F, Fut, E>(&self, keys: Keys<'a, Key<K>>, loader: L) -> Warm<'a, Key<K>, E>
    where
        L: Fn() -> F + Send + 'a,
        F: FnOnce(LoadContext<K, V>) -> Fut + Send + 'static,
        Fut: Future<Output = Loaded<V>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let cache = self.with(CallOptions::thorough);
        Warm {
            keys,
            load: Box::new(move |key| Box::pin(warm(cache.clone(), key, loader()))),
            concurrency: CONCURRENCY,
            tell: None,
        }
    }
}

impl<K, V, E, S, C> Loading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads those of the `keys` that no level has fresh, a few at a time: [`Cache::warm`], with this cache's loader.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{LoadContext, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let numbers = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .loader(async |cx: LoadContext<str, u32>| cx.key().parse::<u32>());
    ///
    /// let report = numbers.warm(["36", "12"]).on_progress(|at| println!("{at}")).await;
    /// assert_eq!(report.loaded(), 2);
    /// assert_eq!(numbers.get_now("36"), Some(36));
    /// # });
    /// ```
    pub fn warm<'a, I>(&self, keys: I) -> Warm<'a, Key<K>, E>
    where
        I: IntoIterator<Item: Into<Key<K>> + 'a, IntoIter: Send + 'a>,
    {
        self.warm_each_of(Keys::of(keys))
    }

    fn warm_each_of<'a>(&self, keys: Keys<'a, Key<K>>) -> Warm<'a, Key<K>, E> {
        let load = self.load();
        self.cache().warm_with(keys, move || {
            let load = Arc::clone(&load);
            move |cx| load(cx)
        })
    }
}

impl<'a, K, E> Warm<'a, K, E> {
    /// Sets how many keys are seen to at a time. A load that nobody waits for any more, because it takes longer than
    /// [`hard_timeout`](Cache::hard_timeout), counts until it ends.
    ///
    /// # Panics
    ///
    /// If `keys` is 0.
    #[track_caller]
    pub fn concurrency(mut self, keys: usize) -> Self {
        self.concurrency = at_least_one(keys);
        self
    }

    /// Has `tell` told after each key. It replaces the one before.
    ///
    /// # Panics
    ///
    /// If `tell` panics, so does what awaits this.
    pub fn on_progress(mut self, tell: impl FnMut(WarmProgress) + Send + 'a) -> Self {
        self.tell = Some(Box::new(tell));
        self
    }
}

impl<K: Send + 'static, E: Send + Sync + 'static> Warm<'_, K, E> {
    async fn run(mut self) -> WarmReport<K, E> {
        let mut tally = Tally::new(self.keys.total());
        let mut under_way = Crowd::default();
        poll_fn(|cx| self.poll(cx, &mut under_way, &mut tally)).await;
        tally.report()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        under_way: &mut Crowd<'static, (usize, K, Warmed<E>)>,
        tally: &mut Tally<K, E>,
    ) -> Poll<()> {
        loop {
            // Asked for a key only while there is room for it.
            while under_way.len() < self.concurrency
                && let Poll::Ready(Some((number, key))) = self.keys.poll_next(cx)
            {
                let load = (self.load)(key);
                under_way.add(Box::pin(async move {
                    let (key, how) = load.await;
                    (number, key, how)
                }));
            }
            let left = under_way.len();
            under_way.poll_woken(cx, |(number, key, how)| {
                let progress = tally.add(number, key, how);
                if let Some(tell) = &mut self.tell {
                    tell(progress);
                }
            });
            if under_way.len() == left {
                let is_over = under_way.is_empty() && self.keys.is_over();
                return if is_over { Poll::Ready(()) } else { Poll::Pending };
            }
        }
    }
}

impl<'a, K, E> IntoFuture for Warm<'a, K, E>
where
    K: Send + 'static,
    E: Send + Sync + 'static,
{
    type Output = WarmReport<K, E>;
    type IntoFuture = Pin<Box<dyn Future<Output = WarmReport<K, E>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<K, E> fmt::Debug for Warm<'_, K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warm").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

/// Returns the concurrency that was asked for.
#[track_caller]
pub(crate) fn at_least_one(keys: usize) -> usize {
    assert!(keys > 0, "with a concurrency of 0 nothing would ever be loaded: say at least 1");
    keys
}

/// Loads one key.
async fn warm<K, V, S, C, F, Fut, E>(cache: Cache<K, V, S, C>, key: Key<K>, load: F) -> (Key<K>, Warmed<E>)
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
    F: FnOnce(LoadContext<K, V>) -> Fut + Send + 'static,
    Fut: Future<Output = Loaded<V>> + Send + 'static,
    E: Send + Sync + 'static,
{
    let (running, ended) = oneshot::channel();
    let load = |cx| async move {
        let loaded = load(cx).await;
        // Whether it came to that tells who loaded.
        let _ = running.send(());
        loaded
    };
    let got = cache.get_or_load_erased(key.borrow(), load).await;
    // It may go on after its caller was answered, and takes its place among those at a time until it ends.
    let was_loaded = ended.await.is_ok();
    let how = match got {
        Err(error) => Warmed::Failed(error),
        Ok(_) if was_loaded => Warmed::Loaded,
        Ok(_) => Warmed::Present,
    };
    (key, how)
}
