//! A cache that knows how its values are loaded, for synchronous code.

use super::Blocking;
use crate::codec::PerLevel;
use crate::holds::Holds;
use crate::{Boxed, CallOptions, LoadError, Loading, Lookup};
use std::fmt;
use std::ops::Deref;

/// A cache whose `get` loads, for synchronous code: what [`Loading::blocking`] makes. All else is done as in
/// [`Blocking`], which it derefs to.
#[must_use = "a cache does nothing until it is asked"]
pub struct BlockingLoading<K: ?Sized + Lookup, V, E, S = Boxed<K, V>, C = PerLevel> {
    pub(super) loading: Loading<K, V, E, S, C>,
    pub(super) blocking: Blocking<K, V, S, C>,
}

impl<K, V, E, S, C> Loading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns this cache for synchronous code: [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// Its loader stays what it is, and is driven by the thread that waits for it. A stale value is served at once, and
    /// reloaded in the background, where there is a runtime with several threads.
    ///
    /// # Panics
    ///
    /// As of [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{LoadContext, prelude::*};
    ///
    /// let numbers = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .loader(async |cx: LoadContext<str, u32>| cx.key().parse())
    ///     .blocking();
    /// assert_eq!(numbers.get("36")?, 36);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(())
    /// ```
    pub fn blocking(&self) -> BlockingLoading<K, V, E, S, C> {
        BlockingLoading { loading: self.clone(), blocking: self.cache().blocking() }
    }
}

impl<K, V, E, S, C> BlockingLoading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under `key`, and loads it where no level has it: [`Loading::get`].
    ///
    /// # Errors
    ///
    /// As for [`Loading::get`].
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    #[track_caller]
    pub fn get(&self, key: &K) -> Result<V, LoadError<E>> {
        self.blocking.wait(self.loading.get(key))
    }

    /// Loads the value under `key`, whatever the levels have, and returns it: [`Loading::refresh`].
    ///
    /// # Errors
    ///
    /// As for [`Loading::refresh`].
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    #[track_caller]
    pub fn refresh(&self, key: &K) -> Result<V, LoadError<E>> {
        self.blocking.wait(self.loading.refresh(key))
    }

    /// Returns a handle whose calls ask for what `options` says: [`Loading::with`].
    pub fn with(&self, options: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        let loading = self.loading.with(options);
        let blocking = Blocking { cache: loading.cache().clone(), runtime: self.blocking.runtime.clone() };
        BlockingLoading { loading, blocking }
    }
}

impl<K: ?Sized + Lookup, V, E, S, C> Deref for BlockingLoading<K, V, E, S, C> {
    type Target = Blocking<K, V, S, C>;

    fn deref(&self) -> &Self::Target {
        &self.blocking
    }
}

impl<K: ?Sized + Lookup, V, E, S, C> Clone for BlockingLoading<K, V, E, S, C> {
    fn clone(&self) -> Self {
        BlockingLoading { loading: self.loading.clone(), blocking: self.blocking.clone() }
    }
}

impl<K, V, E, S, C> fmt::Debug for BlockingLoading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    C: Holds<S, K, V>,
{
    /// Prints the cache.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blocking.fmt(f)
    }
}
