//! Reading many keys through: [`load_many`](Cache::load_many).

use crate::bulk::{BulkLoader, Distinct};
use crate::crowd::BoxFuture;
use crate::fly::Inside;
use crate::holds::Holds;
use crate::seat::Seat;
use crate::{Cache, LoadError, Lookup, Results};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

type Answer<V, E> = Result<Option<V>, LoadError<E>>;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under each of `keys`, and loads all that no level has by one call of `load`.
    ///
    /// Each key is answered as by [`get_or_load`](Self::get_or_load), in the order of the keys; one that is there twice is
    /// asked for once. `load` is given the keys that are missing, and returns a map of what the source has: a key which it
    /// leaves out is `None`, and nothing is stored for it, nor removed. What it returns beyond that is ignored.
    ///
    /// Each missing key has its own flight. Who asks for one of them meanwhile, alone or with others, joins it; and
    /// what somebody is loading already is waited for, not loaded again. A stale value is returned at once, and reloaded in
    /// the background, in the same call of `load` as what is missing. Keys that are late (they wait for the
    /// [lease](Self::lock) of another process, or for a load that comes to nothing) are loaded by a further call, which is
    /// why `load` is `Clone`; a closure is if what it captures is.
    ///
    /// Levels of bytes are read and written in one call for all keys, as by [`get_many`](Self::get_many) and
    /// [`insert_many`](Self::insert_many). `load` is called for all keys at once, however many. What the load says through the functions
    /// of [`load`](crate::load), and what it is made from, counts for each of its keys; `.tags` gives each its own.
    ///
    /// # Errors
    ///
    /// Of each key: as for [`get_or_load`](Self::get_or_load). A load that fails, panics or takes too long fails for the keys
    /// that it was called with; the others have their values.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing: the load goes on, for the others and for the cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use std::collections::HashMap;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// /// As a database does: what it has, by key.
    /// async fn ages_of(names: Vec<String>) -> std::io::Result<HashMap<String, u32>> {
    ///     Ok(names.into_iter().filter(|name| name != "nobody").map(|name| (name, 36)).collect())
    /// }
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("bob", 41).await.unwrap();
    /// let found = ages.load_many(["ada", "bob", "nobody"], ages_of).await.all()?; // asks for ada and nobody
    /// assert_eq!(found, [Some(36), Some(41), None]);
    /// assert_eq!(ages.get("ada").await.unwrap(), Some(36));
    /// # Ok::<_, larder::LoadError<std::io::Error>>(()) }).unwrap();
    /// ```
    pub fn load_many<'a, Q, F, Fut, E>(
        &'a self,
        keys: impl IntoIterator<Item = &'a Q>,
        load: F,
    ) -> impl Future<Output = Results<Option<V>, LoadError<E>>> + Send + 'a
    where
        Q: ?Sized + Borrow<K> + 'a,
        F: FnOnce(Vec<K::Owned>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<HashMap<K::Owned, V>, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        self.load_many_inside(Inside::Task, keys, load)
    }

    /// As [`load_many`](Self::load_many). With [`Inside::Caller`] whoever begins a load waits for it, also where something
    /// stale could be served.
    pub(crate) fn load_many_inside<'a, Q, F, Fut, E>(
        &'a self,
        inside: Inside,
        keys: impl IntoIterator<Item = &'a Q>,
        load: F,
    ) -> impl Future<Output = Results<Option<V>, LoadError<E>>> + Send + 'a
    where
        Q: ?Sized + Borrow<K> + 'a,
        F: FnOnce(Vec<K::Owned>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<HashMap<K::Owned, V>, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let keys = Distinct::of(keys.into_iter().map(Borrow::borrow));
        async move { Results::of(keys.spread(self.load_each(inside, keys.keys(), load).await)) }
    }

    async fn load_each<F, Fut, E>(&self, inside: Inside, keys: &[&K], load: F) -> Vec<Answer<V, E>>
    where
        F: FnOnce(Vec<K::Owned>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<HashMap<K::Owned, V>, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let mut answers: Vec<Answer<V, E>> = Vec::with_capacity(keys.len());
        let mut seats = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            let landed = self.inner.flights.landed();
            let answer = match self.glance_to_load(key) {
                Ok(value) => Ok(Some(value)),
                Err(seen) => match self.take_seat::<E>(key, seen, landed) {
                    Seat::Answer(answer) => answer.map(Some),
                    seat => {
                        seats.push((place, seat));
                        Ok(None)
                    }
                },
            };
            answers.push(answer);
        }
        if seats.is_empty() {
            return answers;
        }
        let (cache, bulk) = self.in_bulk();
        let loader = BulkLoader::new(load, &bulk, &self.inner.coherence);
        let places: Vec<usize> = seats.iter().map(|(place, _)| *place).collect();
        let job = |(place, seat)| -> BoxFuture<'static, Answer<V, E>> {
            let (cache, loader, key) = (cache.clone(), Arc::clone(&loader), K::to_owned(keys[place]));
            Box::pin(async move {
                let is_absent = Arc::new(AtomicBool::new(false));
                let load = {
                    let is_absent = Arc::clone(&is_absent);
                    |cx| loader.load(cx, is_absent)
                };
                let loaded = match inside {
                    Inside::Task => cache.load_on(key.borrow(), seat, load).await,
                    Inside::Caller => cache.load_on_scoped(key.borrow(), seat, load).await,
                };
                match loaded {
                    Ok(value) => Ok(Some(value)),
                    Err(LoadError::Abandoned) if is_absent.load(SeqCst) => Ok(None),
                    Err(error) => Err(error),
                }
            })
        };
        let done = bulk.run(seats.into_iter().map(job).collect()).await;
        match done {
            Some(done) => places.iter().zip(done).for_each(|(place, end)| {
                answers[*place] = end.unwrap_or_else(|message| Err(LoadError::Panicked(message)));
            }),
            None => places.iter().for_each(|place| answers[*place] = Err(LoadError::Abandoned)),
        }
        answers
    }
}
