//! Writing many keys: [`insert_many`](Cache::insert_many).

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
    /// Puts each value under its key in every level, in place of what was there.
    ///
    /// Each key is written as by [`insert`](Self::insert), with the same promise; of two values for one key the later one
    /// stays. A level of bytes is written in one call for all keys whose turn it is; more than 1,000 keys make several calls
    /// at the same time. A key that is being written has its turn later, and holds up no other. What all the entries are to
    /// have (a ttl, a tag) is said by [`with`](Self::with).
    ///
    /// # Errors
    ///
    /// Of each entry, in their order: as for [`insert`](Self::insert). One that fails harms no other; nor does one that makes
    /// code of yours panic (a codec, a `.tags(..)`), which is [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, keys whose turn has not come are not written; what has begun goes on to the end. (Without a
    /// runtime that, too, stops with the future.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert_many([("ada", 36), ("bob", 41)]).await.all()?;
    /// assert_eq!(ages.get("bob").await?, Some(41));
    ///
    /// let short = ages.with(|call| call.ttl(secs(5)));
    /// short.insert_many(vec![("eve".to_string(), 29)]).await.all()?;
    /// assert!(ages.lookup("eve").await?.unwrap().ttl_left() <= Some(secs(5)));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn insert_many<Q>(
        &self,
        entries: impl IntoIterator<Item = (Q, V)>,
    ) -> impl Future<Output = Results<()>> + Send
    where
        Q: Borrow<K>,
    {
        let owned = |(key, value): (Q, V)| (K::to_owned(key.borrow()), value);
        let entries: Vec<(K::Owned, V)> = entries.into_iter().map(owned).collect();
        async move {
            let (cache, bulk) = self.in_bulk();
            let insert = |(key, value): (K::Owned, V)| -> BoxFuture<'static, Result<()>> {
                let cache = cache.clone();
                Box::pin(async move { cache.insert(key.borrow(), value).await })
            };
            Results::of(bulk.run_all(entries.into_iter().map(insert).collect()).await)
        }
    }
}
