//! A schedule that keeps one value fresh: [`refresh_every`](Cache::refresh_every).

use crate::flights::Visit;
use crate::follower::Follower;
use crate::holds::{Fetched, Holds};
use crate::random::Random;
use crate::refreshed::{By, Look, Work};
use crate::{Cache, CallOptions, Lookup, RefreshOptions, Refreshed};
use std::borrow::Borrow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads the value under `key` every `interval`, and holds it where it is read without waiting: see [`Refreshed`].
    ///
    /// A load is one of the cache's: it is stored in every level, shared with callers who ask for the key, bounded by its
    /// time-outs, and under a [`lock`](Self::lock) one process does it while the others take its value. Also without a lock,
    /// what another process has put into a level a short while ago, within half an interval, is taken and not loaded again.
    ///
    /// # Default
    ///
    /// Those of [`RefreshOptions`]: [`refresh_every_with`](Self::refresh_every_with).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, and if `interval` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let rates = Cache::new(Memory::<str, f64>::new(100));
    /// let euro = rates.refresh_every(minutes(5), "EUR", async || Ok::<_, std::io::Error>(1.08));
    ///
    /// assert_eq!(euro.ready().await.unwrap(), 1.08);
    /// assert_eq!(euro.get(), Some(1.08)); // at once, from now on
    /// # });
    /// ```
    #[track_caller]
    pub fn refresh_every<F, Fut, E>(&self, interval: Duration, key: &K, load: F) -> Refreshed<V, E>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        self.refresh_every_with(interval, key, |options| options, load)
    }

    /// As [`refresh_every`](Self::refresh_every), in the way that `options` says.
    ///
    /// # Panics
    ///
    /// As of [`refresh_every`](Self::refresh_every).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Start, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let rates = Cache::new(Memory::<str, f64>::new(100));
    /// let euro = rates.refresh_every_with(
    ///     minutes(5),
    ///     "EUR",
    ///     |how| how.start(Start::Later).jitter(0.1).on_error(|error| eprintln!("no rate: {error}")),
    ///     async || Err::<f64, _>("the bank is closed"),
    /// );
    /// assert_eq!(euro.get(), None);
    /// assert!(euro.refresh().await.is_err());
    /// assert!(euro.last_error().is_some());
    /// # });
    /// ```
    #[track_caller]
    pub fn refresh_every_with<F, Fut, E>(
        &self,
        interval: Duration,
        key: &K,
        options: impl FnOnce(RefreshOptions<E>) -> RefreshOptions<E>,
        load: F,
    ) -> Refreshed<V, E>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let options = options(RefreshOptions::default());
        let ttl = options.ttl_for(interval);
        let (follower, look) = self.follow(key);
        let (cache, key, load) = (self.clone(), Arc::new(key.to_owned()), Arc::new(load));
        let work = Work {
            look,
            load: Box::new(move |by| {
                let cache = cache.with(|call| match by {
                    By::Schedule => call.max_age(interval / 2).ttl(ttl),
                    By::Hand => CallOptions::force_refresh(call).ttl(ttl),
                });
                let (key, load) = (Arc::clone(&key), Arc::clone(&load));
                Box::pin(async move {
                    let loaded = cache.get_or_load((*key).borrow(), async move || load().await).await;
                    loaded.map(drop)
                })
            }),
        };
        Refreshed::begin(follower, work, interval, options, Random::unpredictable())
    }

    /// A copy of what is written under the key, and a look for what is there now.
    pub(super) fn follow(&self, key: &K) -> (Arc<Follower<V>>, Look) {
        let inner = &self.inner;
        let follower = Arc::new(Follower::new(&inner.clock, &inner.coherence, self.address(key)));
        let visit = Visit::begin(&inner.flights, key);
        // Owned by the look, and with it by the schedule.
        let following = visit.followed_by(&follower);
        let (cache, key) = (self.clone(), Arc::new(key.to_owned()));
        let look: Look = Box::new(move || {
            let _following = &following;
            let (cache, key) = (cache.clone(), Arc::clone(&key));
            Box::pin(async move {
                let key = (*key).borrow();
                let visit = Visit::begin(&cache.inner.flights, key);
                let found = C::fetch(&cache.level, cache.cx_of(&visit), key, 0).await;
                if let Some(found) = found.filter(Fetched::is_hit) {
                    visit.tell_followers(&found.entry);
                }
            })
        });
        (follower, look)
    }
}
