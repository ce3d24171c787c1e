//! `.batch_loader(|keys| ..)`: what is asked for one by one is loaded together.

use crate::holds::Holds;
use crate::{BatchLoading, Cache, Lookup};
use std::future::Future;

impl<K, T, S, C> Cache<K, Option<T>, S, C>
where
    K: ?Sized + Lookup,
    T: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, Option<T>>,
{
    /// Loads with `load` whatever is asked for and not there, many keys in one call.
    ///
    /// A key that is asked for waits a short while for others, and `load` is called with all of them: each once, in no
    /// particular order. It returns pairs of a key and its value, as a `HashMap` is, or a `Vec`. A key that it leaves out is
    /// absent: its callers get `None`, and nothing is stored, or what was stored is removed, unless
    /// [`negative`](Self::negative) says for how long absence is remembered. Where the source answers in the order of
    /// the keys, `zip` makes pairs of that.
    ///
    /// Each key has its own flight, as with [`loader`](Self::loader): many who ask for the same key are one, a caller that goes
    /// away harms no other, and what is removed meanwhile is not stored. Reloads (of stale values, ahead of time, by
    /// [`refresh`](crate::Loading::refresh)) are gathered into the same calls. What the load says through the functions of
    /// [`load`](crate::load), and what it is made from, counts for each of its keys.
    ///
    /// A call is made by the runtime of whoever opened its batch, as a load is by the runtime it began on.
    ///
    /// If a call fails, or panics, so do the loads of its keys, and no others. If nobody waits for any of its keys any more, it
    /// is dropped.
    ///
    /// # Default
    ///
    /// - [`window`](BatchLoading::window): 1 ms
    /// - [`max_batch`](BatchLoading::max_batch): 100 keys
    /// - [`concurrency`](BatchLoading::concurrency): 16 calls
    /// - answers that nobody asked for are dropped: [`keep_extra`](BatchLoading::keep_extra)
    ///
    /// # Ordering
    ///
    /// Last, as [`loader`](Self::loader), and after [`negative`](Self::negative).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use std::collections::HashMap;
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// /// As a database does: what it has, by key.
    /// async fn ages_of(names: Vec<String>) -> std::io::Result<HashMap<String, u32>> {
    ///     Ok(names.into_iter().filter(|name| name != "nobody").map(|name| (name, 36)).collect())
    /// }
    ///
    /// let ages = Cache::new(Memory::<str, Option<u32>>::new(1_000)).ttl(minutes(5)).batch_loader(ages_of);
    ///
    /// let (ada, nobody) = tokio::join!(ages.get("ada"), ages.get("nobody")); // one call, of two keys
    /// assert_eq!((ada?, nobody?), (Some(36), None));
    /// # Ok::<_, larder::LoadError<std::io::Error>>(()) }).unwrap();
    /// ```
    pub fn batch_loader<F, Fut, I, E>(self, load: F) -> BatchLoading<K, T, E, S, C>
    where
        F: Fn(Vec<K::Owned>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<I, E>> + Send + 'static,
        I: IntoIterator<Item = (K::Owned, T)>,
        E: Send + Sync + 'static,
    {
        BatchLoading::new(self, load)
    }
}
