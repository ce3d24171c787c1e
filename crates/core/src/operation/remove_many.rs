//! Removing many keys: [`remove_many`](Cache::remove_many).

use crate::bulk::Distinct;
use crate::crowd::BoxFuture;
use crate::holds::Holds;
use crate::{Cache, Lookup, Result, Results};
use std::borrow::Borrow;
use std::future::Future;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Removes what is under each of `keys` from every level.
    ///
    /// Each key is removed as by [`remove`](Self::remove), with the same promise. A level of bytes is asked in one call for all
    /// keys whose turn it is, and a store that keeps a log of invalidations in one statement; more than 1,000 keys make
    /// several calls at the same time. A key that is being written has its turn later, and holds up no other.
    ///
    /// # Errors
    ///
    /// Of each key: as for [`remove`](Self::remove). One that fails harms no other.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, keys whose turn has not come are not removed; what has begun goes on to the end. (Without a
    /// runtime that, too, stops with the future.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    /// ages.insert("bob", 41).await?;
    ///
    /// ages.remove_many(["ada", "eve"]).await.all()?;
    /// assert_eq!(ages.get_many(["ada", "bob"]).await.all()?, [None, Some(41)]);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn remove_many<'a, Q>(
        &'a self,
        keys: impl IntoIterator<Item = &'a Q>,
    ) -> impl Future<Output = Results<()>> + Send + 'a
    where
        Q: ?Sized + Borrow<K> + 'a,
    {
        let keys = Distinct::of(keys.into_iter().map(Borrow::borrow));
        async move {
            let (cache, bulk) = self.in_bulk();
            let remove = |key: &&K| -> BoxFuture<'static, Result<()>> {
                let (cache, key) = (cache.clone(), K::to_owned(key));
                Box::pin(async move { cache.remove(key.borrow()).await })
            };
            let jobs = keys.keys().iter().map(remove).collect();
            Results::of(keys.spread(bulk.run_all(jobs).await))
        }
    }
}
