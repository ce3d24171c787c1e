//! Reading many keys: [`get_many`](Cache::get_many).

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
    /// Returns the value under each of `keys`, fresh or stale, from the first level that has it.
    ///
    /// Each key is answered as by [`get`](Self::get), in the order of the keys; one that is there twice is asked for once. A
    /// level of bytes is asked for all that it is needed for in one call, as are the levels in front that get copies; more
    /// than 1,000 keys make several calls at the same time. A call has the level's
    /// [time-out](Self::level_timeout). A key that another caller is reading already is waited for.
    ///
    /// # Errors
    ///
    /// None, unless [`on_store_error`](Self::on_store_error) says so; then of each key that was found nowhere because a level
    /// failed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing for others.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(ages.get_many(["ada", "bob"]).await.all()?, [Some(36), None]);
    ///
    /// let names = vec!["bob".to_string(), "ada".to_string()];
    /// assert_eq!(ages.get_many(&names).await.all()?, [None, Some(36)]);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn get_many<'a, Q>(
        &'a self,
        keys: impl IntoIterator<Item = &'a Q>,
    ) -> impl Future<Output = Results<Option<V>>> + Send + 'a
    where
        Q: ?Sized + Borrow<K> + 'a,
    {
        let keys = Distinct::of(keys.into_iter().map(Borrow::borrow));
        async move { Results::of(keys.spread(self.get_each(keys.keys()).await)) }
    }

    async fn get_each(&self, keys: &[&K]) -> Vec<Result<Option<V>>> {
        let mut answers = Vec::with_capacity(keys.len());
        let mut missed = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            answers.push(match self.glance(key) {
                Ok(value) => Ok(Some(value)),
                Err(seen) if self.is_miss(&seen) => Ok(None),
                Err(seen) => {
                    missed.push((place, seen));
                    Ok(None)
                }
            });
        }
        if missed.is_empty() {
            return answers;
        }
        let (cache, bulk) = self.in_bulk();
        let places: Vec<usize> = missed.iter().map(|(place, _)| *place).collect();
        let read = |(place, seen)| -> BoxFuture<'static, Result<Option<V>>> {
            let (cache, key) = (cache.clone(), K::to_owned(keys[place]));
            Box::pin(async move {
                let found = cache.read_on(key.borrow(), seen).await?;
                Ok(found.map(|found| cache.serve(found.entry)))
            })
        };
        let read = bulk.run_all(missed.into_iter().map(read).collect()).await;
        places.into_iter().zip(read).for_each(|(place, answer)| answers[place] = answer);
        answers
    }
}
