//! A cache that knows how its values are loaded. Documented at [`Cache::loader`](crate::Cache::loader).

use crate::codec::PerLevel;
use crate::fly::Loaded;
use crate::holds::Holds;
use crate::seat::erased;
use crate::{Boxed, Cache, CallOptions, LoadContext, LoadError, Lookup};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

/// Loads values, for [`Cache::loader_from`](crate::Cache::loader_from).
///
/// Implemented by hand where a load needs more than a closure holds well: a pool, settings, other caches.
///
/// # Examples
///
/// ```
/// use larder::{LoadContext, Loader, prelude::*};
///
/// struct Squares;
///
/// impl Loader<u64, u64> for Squares {
///     type Error = std::num::TryFromIntError;
///
///     async fn load(&self, cx: LoadContext<u64, u64>) -> Result<u64, Self::Error> {
///         Ok(cx.key() * cx.key())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let squares = Cache::new(Memory::<u64, u64>::new(100)).loader_from(Squares);
/// assert_eq!(squares.get(&12).await?, 144);
/// # Ok::<_, larder::LoadError<std::num::TryFromIntError>>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not load `{V}` for `{K}`",
    note = "implement `Loader<{K}, {V}>` for it, or give `.loader` a closure: `async move |cx| ..`"
)]
pub trait Loader<K: ?Sized + Lookup, V>: Send + Sync + 'static {
    /// What a load fails with.
    type Error: Send + Sync + 'static;

    /// Loads the value under `cx.key()`. Called at most once at a time for each key.
    fn load(&self, cx: LoadContext<K, V>) -> impl Future<Output = Result<V, Self::Error>> + Send;
}

/// A loader, whose error has lost its type.
pub(crate) type LoadFn<K, V> =
    dyn Fn(LoadContext<K, V>) -> Pin<Box<dyn Future<Output = Loaded<V>> + Send>> + Send + Sync;

/// A cache whose `get` loads; what [`Cache::loader`](crate::Cache::loader) makes.
///
/// It derefs to the cache, so that all else is done as there: `remove`, `insert`, `stats` .. A read that does not load is
/// `cache().get(..)`. Cloning it is cheap.
#[must_use = "a cache does nothing until it is asked"]
pub struct Loading<K: ?Sized + Lookup, V, E, S = Boxed<K, V>, C = PerLevel> {
    cache: Cache<K, V, S, C>,
    load: Arc<LoadFn<K, V>>,
    error: PhantomData<fn() -> E>,
}

impl<K, V, E, S, C> Loading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    pub(crate) fn new<F, Fut>(cache: Cache<K, V, S, C>, load: F) -> Self
    where
        F: Fn(LoadContext<K, V>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        Loading::of(cache, Arc::new(move |cx| Box::pin(erased(load(cx)))))
    }

    /// `load` fails with an `E`.
    pub(crate) fn of(cache: Cache<K, V, S, C>, load: Arc<LoadFn<K, V>>) -> Self {
        Loading { cache, load, error: PhantomData }
    }

    pub(crate) fn from_loader<L: Loader<K, V, Error = E>>(cache: Cache<K, V, S, C>, loader: L) -> Self {
        let loader = Arc::new(loader);
        Loading::new(cache, move |cx| {
            let loader = Arc::clone(&loader);
            async move { loader.load(cx).await }
        })
    }

    /// Returns the value under `key`, and loads it where no level has it: as
    /// [`get_or_load`](crate::Cache::get_or_load), with this cache's loader.
    ///
    /// # Errors
    ///
    /// As for [`get_or_load`](crate::Cache::get_or_load).
    ///
    /// # Cancel safety
    ///
    /// As for [`get_or_load`](crate::Cache::get_or_load).
    pub fn get<'a>(&'a self, key: &'a K) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a {
        let load = Arc::clone(&self.load);
        self.cache.get_or_load_erased(key, move |cx| load(cx))
    }

    /// Loads the value under `key`, whatever the levels have, and returns it:
    /// [`force_refresh`](crate::CallOptions::force_refresh).
    ///
    /// # Errors
    ///
    /// As for [`get_or_load`](crate::Cache::get_or_load). What was there stays there if the load fails.
    ///
    /// # Cancel safety
    ///
    /// As for [`get_or_load`](crate::Cache::get_or_load).
    pub async fn refresh(&self, key: &K) -> Result<V, LoadError<E>> {
        self.with(CallOptions::force_refresh).get(key).await
    }

    /// Returns a handle whose calls ask for what `options` says: [`Cache::with`](crate::Cache::with).
    pub fn with(&self, options: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        Loading { cache: self.cache.with(options), load: Arc::clone(&self.load), error: PhantomData }
    }

    pub(crate) fn load(&self) -> Arc<LoadFn<K, V>> {
        Arc::clone(&self.load)
    }

    pub(crate) fn into_cache(self) -> Cache<K, V, S, C> {
        self.cache
    }

    /// Returns the cache, whose `get` does not load.
    pub fn cache(&self) -> &Cache<K, V, S, C> {
        &self.cache
    }

    /// Hides the levels: the type for struct fields is `Loading<K, V, E>`. See [`Cache::boxed`](crate::Cache::boxed).
    pub fn boxed(self) -> Loading<K, V, E> {
        Loading { cache: self.cache.boxed(), load: self.load, error: PhantomData }
    }
}

impl<K: ?Sized + Lookup, V, E, S, C> Deref for Loading<K, V, E, S, C> {
    type Target = Cache<K, V, S, C>;

    fn deref(&self) -> &Self::Target {
        &self.cache
    }
}

impl<K: ?Sized + Lookup, V, E, S, C> Clone for Loading<K, V, E, S, C> {
    fn clone(&self) -> Self {
        Loading { cache: self.cache.clone(), load: Arc::clone(&self.load), error: PhantomData }
    }
}

impl<K, V, E, S, C> fmt::Debug for Loading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    C: Holds<S, K, V>,
{
    /// Prints the cache.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cache.fmt(f)
    }
}
