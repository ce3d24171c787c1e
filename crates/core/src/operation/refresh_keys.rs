//! A schedule that keeps many keys fresh: [`refresh_keys`](Loading::refresh_keys).

use crate::crowd::BoxFuture;
use crate::holds::Holds;
use crate::refreshed_keys::Which;
use crate::{CallOptions, Loading, Lookup, RefreshKeysOptions, RefreshedKeys};
use std::time::Duration;

type KeyOptions<K, E> = RefreshKeysOptions<<K as ToOwned>::Owned, E>;

impl<K, V, E, S, C> Loading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads every `interval` the keys that `keys` says, a few at a time, so that who reads them finds them fresh.
    ///
    /// `keys` is asked anew each time. A load is one of the cache's: it is stored in every level, shared with callers who
    /// ask for the key, and bounded by its time-outs. What was loaded a short while ago, within half an interval, also by
    /// another process, is not loaded again. A load that fails harms no other key, and leaves what was there; if
    /// `keys` panics, that time is left out. With a [`batch_loader`](crate::Cache::batch_loader) the keys are loaded
    /// together. If the loads of all keys take longer than the interval, the next ones begin an interval later.
    ///
    /// The values live for as long as the cache says: a ttl below one and a half times the interval leaves gaps.
    ///
    /// # Default
    ///
    /// Those of [`RefreshKeysOptions`]: [`refresh_keys_with`](Self::refresh_keys_with).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, and if `interval` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{LoadContext, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let rates = Cache::new(Memory::<str, f64>::new(100))
    ///     .ttl(minutes(15))
    ///     .loader(async |cx: LoadContext<str, f64>| Ok::<_, std::io::Error>(cx.key().len() as f64));
    ///
    /// let fresh = rates.refresh_keys(minutes(5), || ["EUR", "CHF"]);
    /// assert_eq!(fresh.ready().await.unwrap().loaded(), 2);
    /// assert_eq!(rates.get_now("CHF"), Some(3.0));
    /// # });
    /// ```
    #[track_caller]
    pub fn refresh_keys<I>(
        &self,
        interval: Duration,
        keys: impl Fn() -> I + Send + Sync + 'static,
    ) -> RefreshedKeys<K::Owned, E>
    where
        I: IntoIterator<Item: Into<K::Owned>, IntoIter: Send> + 'static,
    {
        self.refresh_keys_with(interval, keys, |options| options)
    }

    /// As [`refresh_keys`](Self::refresh_keys), in the way that `options` says.
    ///
    /// # Panics
    ///
    /// As of [`refresh_keys`](Self::refresh_keys).
    #[track_caller]
    pub fn refresh_keys_with<I>(
        &self,
        interval: Duration,
        keys: impl Fn() -> I + Send + Sync + 'static,
        options: impl FnOnce(KeyOptions<K, E>) -> KeyOptions<K, E>,
    ) -> RefreshedKeys<K::Owned, E>
    where
        I: IntoIterator<Item: Into<K::Owned>, IntoIter: Send> + 'static,
    {
        let options = options(RefreshKeysOptions::default());
        let (loading, concurrency) = (self.clone(), options.concurrency);
        let pass = move |which| -> BoxFuture<'static, _> {
            let loading = loading.with(|call| match which {
                Which::Absent => call,
                Which::Old => call.max_age(interval / 2),
                Which::All => CallOptions::force_refresh(call),
            });
            let keys: Vec<K::Owned> = keys().into_iter().map(Into::into).collect();
            Box::pin(async move { loading.warm(keys).concurrency(concurrency).await })
        };
        RefreshedKeys::begin(&self.inner.clock, interval, options, Box::new(pass))
    }
}
