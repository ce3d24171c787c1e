//! Many keys at once, for synchronous code.

use super::Blocking;
#[cfg(doc)]
use crate::Cache;
use crate::block_on::run_blocking;
use crate::current_load::CurrentLoad;
use crate::fly::Inside;
use crate::holds::Holds;
use crate::{LoadError, Lookup, Results, load};
use std::any::Any;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::Poll;
use tokio::sync::oneshot;

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under each of `keys`, fresh or stale, from the first level that has it:
    /// [`Cache::get_many`].
    ///
    /// # Errors
    ///
    /// Of each key: as for [`Cache::get_many`].
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`].
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert("ada", 36)?;
    /// assert_eq!(ages.get_many(["ada", "bob"]).all()?, [Some(36), None]);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn get_many<'a, Q>(&'a self, keys: impl IntoIterator<Item = &'a Q>) -> Results<Option<V>>
    where
        Q: ?Sized + Borrow<K> + 'a,
    {
        self.wait(self.cache.get_many(keys))
    }

    /// Puts each value under its key in every level, in place of what was there:
    /// [`Cache::insert_many`].
    ///
    /// # Errors
    ///
    /// Of each entry: as for [`Cache::insert_many`].
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`]. Each value may be written, or not, then.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert_many([("ada", 36), ("bob", 41)]).all()?;
    /// assert_eq!(ages.get("bob")?, Some(41));
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn insert_many<Q>(&self, entries: impl IntoIterator<Item = (Q, V)>) -> Results<()>
    where
        Q: Borrow<K>,
    {
        self.wait(self.cache.insert_many(entries))
    }

    /// Removes what is under each of `keys` from every level: [`Cache::remove_many`].
    ///
    /// # Errors
    ///
    /// Of each key: as for [`Cache::remove_many`].
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`]. Each may be removed, or not, then.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert_many([("ada", 36), ("bob", 41)]).all()?;
    /// ages.remove_many(["ada", "eve"]).all()?;
    /// assert_eq!(ages.get_many(["ada", "bob"]).all()?, [None, Some(41)]);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn remove_many<'a, Q>(&'a self, keys: impl IntoIterator<Item = &'a Q>) -> Results<()>
    where
        Q: ?Sized + Borrow<K> + 'a,
    {
        self.wait(self.cache.remove_many(keys))
    }

    /// Returns the value under each of `keys`, and loads all that no level has by one call of `load`.
    ///
    /// As [`Cache::load_many`]: each missing key has its own flight, which others join, and a key that `load` leaves out of
    /// its map is `None`. `load` runs on the thread of its caller, and may borrow; it is called again only for keys that
    /// are late. As with [`get_or_load`](Self::get_or_load), who begins to reload what is stale waits for it, here with all
    /// that is missing, and nothing can cut a closure off.
    ///
    /// # Errors
    ///
    /// Of each key: as for [`Cache::load_many`]. If the load fails while a stale value may be served, that is returned
    /// instead.
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`]. If `load` panics, that is [`LoadError::Panicked`].
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use std::collections::HashMap;
    ///
    /// let table = HashMap::from([("ada".to_string(), 36), ("bob".to_string(), 41)]);
    /// let mut queries = 0;
    /// let query = |names: Vec<String>| {
    ///     queries += 1;
    ///     let found = names.into_iter().filter_map(|name| table.get(&name).map(|age| (name, *age)));
    ///     Ok::<_, std::io::Error>(found.collect())
    /// };
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// assert_eq!(ages.load_many(["ada", "bob", "nobody"], query).all()?, [Some(36), Some(41), None]);
    /// assert_eq!((ages.get("bob").unwrap(), queries), (Some(41), 1));
    /// # Ok::<_, larder::LoadError<std::io::Error>>(())
    /// ```
    #[track_caller]
    pub fn load_many<'a, Q, E>(
        &'a self,
        keys: impl IntoIterator<Item = &'a Q>,
        mut load: impl FnMut(Vec<K::Owned>) -> Result<HashMap<K::Owned, V>, E>,
    ) -> Results<Option<V>, LoadError<E>>
    where
        Q: ?Sized + Borrow<K> + 'a,
        E: Send + Sync + 'static,
    {
        let (ask, asked) = channel();
        let ask = move |keys| Question::put(keys, move |question| drop(ask.send(question)));
        let mut loading = pin!(self.cache.load_many_inside(Inside::Caller, keys, ask));
        self.wait(std::future::poll_fn(|cx| {
            loop {
                if let Poll::Ready(results) = loading.as_mut().poll(cx) {
                    return Poll::Ready(results);
                }
                // The closure may borrow, so it is no part of that. What the stores were asked is under way by now.
                let Ok(question) = asked.try_recv() else { return Poll::Pending };
                question.answer(&mut load);
            }
        }))
    }
}

/// What a load came to, or what it panicked with.
type Loaded<K, V, E> = Result<Result<HashMap<K, V>, E>, Box<dyn Any + Send>>;

/// Keys that are to be loaded.
struct Question<K, V, E> {
    keys: Vec<K>,
    /// The load of these keys, of which what the closure does is a part.
    within: CurrentLoad,
    answer: oneshot::Sender<Loaded<K, V, E>>,
}

impl<K, V, E> Question<K, V, E> {
    /// Hands it out, and waits for the answer.
    async fn put(keys: Vec<K>, hand_out: impl FnOnce(Self)) -> Result<HashMap<K, V>, E> {
        let (answer, answered) = oneshot::channel();
        hand_out(Question { keys, within: load::current(), answer });
        match answered.await {
            Ok(loaded) => loaded.unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => resume_unwind(Box::new("the load of many keys was cut off")),
        }
    }

    fn answer(self, load: impl FnOnce(Vec<K>) -> Result<HashMap<K, V>, E>) {
        let work = || run_blocking(|| self.within.run(|| load(self.keys)));
        // Nobody listens if the load was cut off meanwhile.
        let _ = self.answer.send(catch_unwind(AssertUnwindSafe(work)));
    }
}
