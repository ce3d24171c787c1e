//! `.loader(|cx| ..)`: the cache knows how its values are loaded, and `get` loads.
//!
//! It comes last. What the other methods return is a [`Cache`], to which a loader can be given; a [`Loading`] derefs to its
//! cache.

use crate::holds::Holds;
use crate::{Cache, LoadContext, Loader, Loading, Lookup};
use std::future::Future;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads with `load` whatever is asked for and not there.
    ///
    /// # Ordering
    ///
    /// Last: the result is no [`Cache`], though it derefs to one.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{LoadContext, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let numbers = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .ttl(minutes(1))
    ///     .loader(async |cx: LoadContext<str, u32>| cx.key().parse());
    ///
    /// assert_eq!(numbers.get("36").await?, 36);
    /// assert!(numbers.get("thirty-six").await.is_err());
    /// assert_eq!(numbers.stats().loads, 2);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(()) }).unwrap();
    /// ```
    pub fn loader<F, Fut, E>(self, load: F) -> Loading<K, V, E, S, C>
    where
        F: Fn(LoadContext<K, V>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        Loading::new(self, load)
    }

    /// Loads with `loader` whatever is asked for and not there.
    ///
    /// # Ordering
    ///
    /// Last, as [`loader`](Self::loader). The example is at [`Loader`].
    pub fn loader_from<L: Loader<K, V>>(self, loader: L) -> Loading<K, V, L::Error, S, C> {
        Loading::from_loader(self, loader)
    }
}
