//! Reading through: [`get_or_load`](Cache::get_or_load) and its forms. What happens behind it is in `seat` and `fly`.

use crate::fly::Loaded;
use crate::glance::Rest;
use crate::holds::Holds;
use crate::seat::{Seat, erased};
use crate::{Cache, CallOptions, LoadContext, LoadError, Lookup, OnStoreError};
use std::convert::Infallible;
use std::future::Future;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under `key`, and loads it with `load` where no level has it.
    ///
    /// However many callers miss one key, in whichever clone of the cache, one of them loads and the others wait
    /// for it. The load runs as a task of its own (without a runtime, inside its caller). Its value is stored in
    /// every level, with a life that is counted from when the load began, and returned even if no store would
    /// take it. If `remove`, `insert`, `expire` or `clear` is called meanwhile, the value goes to those who wait for it
    /// already and is not stored.
    ///
    /// A stale value is returned at once, and reloaded in the background, where a lower level is asked first.
    ///
    /// Tokio's task-locals do not cross into the load. A load is driven by the runtime it began on: if that is a
    /// current-thread runtime whose `block_on` has returned, the load stands still, and so does who joins it.
    ///
    /// # Errors
    ///
    /// - [`LoadError::Load`]: `load` returned an error, which nobody stores. All who waited get the same one; who
    ///   expects another error type begins again with its own load.
    /// - [`LoadError::Panicked`]: `load` panicked. The next call loads again.
    /// - [`LoadError::Timeout`]: the load takes longer than [`hard_timeout`](Self::hard_timeout).
    /// - [`LoadError::Cycle`]: this call is made by a load that the value depends on.
    /// - [`LoadError::Abandoned`]: the runtime that ran the load has ended.
    /// - [`LoadError::Store`]: a level failed, where [`on_store_error`](Self::on_store_error) makes that an error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing: the load goes on, for the others and for the cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    ///
    /// let age = ages.get_or_load("ada", async || "36".parse()).await?;
    /// assert_eq!(age, 36);
    /// let again = ages.get_or_load("ada", async || "never asked".parse()).await?;
    /// assert_eq!(again, 36);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(()) }).unwrap();
    /// ```
    ///
    /// An `Ok(..)` alone does not say what the error would be, and what is unwrapped does not either; a
    /// load that cannot fail is for [`get_or_insert_with`](Self::get_or_insert_with).
    ///
    /// ```compile_fail,E0283
    /// # use larder::prelude::*;
    /// # async fn age(ages: &Cache<str, u32>) -> u32 {
    /// ages.get_or_load("ada", async || Ok(36)).await.unwrap()
    /// # }
    /// ```
    pub fn get_or_load<'a, F, Fut, E>(
        &'a self,
        key: &'a K,
        load: F,
    ) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        async move {
            let load = |_| erased(load());
            let rest = |seat| -> Rest<'a, _> { Box::pin(self.load_on(key, seat, load)) };
            let rest = match self.begin_load(key, rest) {
                Ok(answer) => return answer,
                Err(rest) => rest,
            };
            rest.await
        }
    }

    /// Returns the value under `key`, and loads it with `load`, which is given a context, where no level has it.
    ///
    /// As [`get_or_load`](Self::get_or_load). From the [context](LoadContext) the load learns its key and the value that
    /// it replaces, and through it says how long its result lives, which tags it has, or that it is not to be stored.
    ///
    /// # Errors
    ///
    /// As for [`get_or_load`](Self::get_or_load).
    ///
    /// # Cancel safety
    ///
    /// As for [`get_or_load`](Self::get_or_load).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{LoadContext, LoadError, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let tokens = Cache::new(Memory::<str, String>::new(1_000)).ttl(hours(1));
    ///
    /// let issue = async |cx: LoadContext<str, String>| {
    ///     let (token, seconds) = (format!("token of {}", cx.key()), 300); // as its issuer says
    ///     cx.ttl(secs(seconds));
    ///     Ok::<_, LoadError<String>>(token)
    /// };
    /// assert_eq!(tokens.get_or_load_with("ada", issue).await.unwrap(), "token of ada");
    /// assert!(tokens.lookup("ada").await?.unwrap().ttl_left() <= Some(secs(300)));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn get_or_load_with<'a, F, Fut, E>(
        &'a self,
        key: &'a K,
        load: F,
    ) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a
    where
        F: FnOnce(LoadContext<K, V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        self.get_or_load_erased(key, |cx| erased(load(cx)))
    }

    /// As [`get_or_load_with`](Self::get_or_load_with); what `load` fails with is an `E`.
    pub(crate) fn get_or_load_erased<'a, F, Fut, E>(
        &'a self,
        key: &'a K,
        load: F,
    ) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a
    where
        F: FnOnce(LoadContext<K, V>) -> Fut + Send + 'static,
        Fut: Future<Output = Loaded<V>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        async move {
            let rest = |seat| -> Rest<'a, _> { Box::pin(self.load_on(key, seat, load)) };
            let rest = match self.begin_load(key, rest) {
                Ok(answer) => return answer,
                Err(rest) => rest,
            };
            rest.await
        }
    }

    /// Returns the value under `key`, and loads it with `load`, which may borrow, where no level has it.
    ///
    /// As [`get_or_load`](Self::get_or_load), but the load runs inside the future of its caller. So the caller
    /// that begins it waits for it even where a stale value could be served; the others are served that.
    ///
    /// # Errors
    ///
    /// As for [`get_or_load`](Self::get_or_load). If the load fails while a stale value may be served, that is
    /// returned instead.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future of the caller that loads loses the work; one of those who wait begins again with its
    /// own load.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// let file = String::from("36");
    ///
    /// let age = ages.get_or_load_scoped("ada", async || file.parse()).await?; // borrows `file`
    /// assert_eq!(age, 36);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(()) }).unwrap();
    /// ```
    pub fn get_or_load_scoped<'a, F, Fut, E>(
        &'a self,
        key: &'a K,
        load: F,
    ) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a
    where
        F: FnOnce() -> Fut + Send + 'a,
        Fut: Future<Output = Result<V, E>> + Send + 'a,
        E: Send + Sync + 'static,
    {
        async move {
            let load = |_| erased(load());
            let rest = |seat| -> Rest<'a, _> { Box::pin(self.load_on_scoped(key, seat, load)) };
            let rest = match self.begin_load(key, rest) {
                Ok(answer) => return answer,
                Err(rest) => rest,
            };
            rest.await
        }
    }

    /// Returns the value under `key`, and makes it with `make` where no level has it.
    ///
    /// As [`get_or_load`](Self::get_or_load), for what cannot fail.
    ///
    /// # Panics
    ///
    /// When `make` panics, or the load of another caller that this one joins, or when that is cut off
    /// ([`max_load_time`](Self::max_load_time)); when `make` asks this cache, directly or through others, for the same
    /// key; when the runtime that ran `make` has ended. It waits for as long as `make` takes, whatever the time-outs
    /// say, and passes over levels that fail, because it has no error to return.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing: `make` goes on, for the others and for the cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let squares = Cache::new(Memory::<u64, u64>::new(1_000));
    /// assert_eq!(squares.get_or_insert_with(&12, async || 144).await, 144);
    /// # });
    /// ```
    pub fn get_or_insert_with<'a, F, Fut>(
        &'a self,
        key: &'a K,
        make: F,
    ) -> impl Future<Output = V> + Send + 'a
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = V> + Send + 'static,
    {
        async move {
            let load = |_| erased(async { Ok::<_, Infallible>(make().await) });
            let rest = |seat: Seat<K, V, Infallible>| -> Rest<'a, _> {
                let cache = self.lenient();
                Box::pin(async move { cache.as_ref().unwrap_or(self).load_on(key, seat, load).await })
            };
            let made = match self.begin_load(key, rest) {
                Ok(made) => made,
                Err(rest) => rest.await,
            };
            value_of(made)
        }
    }

    /// Returns the value under `key`, and makes it with `make`, which may borrow, where no level has it.
    ///
    /// As [`get_or_load_scoped`](Self::get_or_load_scoped), for what cannot fail.
    ///
    /// # Panics
    ///
    /// As for [`get_or_insert_with`](Self::get_or_insert_with).
    ///
    /// # Cancel safety
    ///
    /// As for [`get_or_load_scoped`](Self::get_or_load_scoped).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let lengths = Cache::new(Memory::<str, usize>::new(1_000));
    /// let text = String::from("larder");
    ///
    /// assert_eq!(lengths.get_or_insert_with_scoped("text", async || text.len()).await, 6); // borrows `text`
    /// # });
    /// ```
    pub fn get_or_insert_with_scoped<'a, F, Fut>(
        &'a self,
        key: &'a K,
        make: F,
    ) -> impl Future<Output = V> + Send + 'a
    where
        F: FnOnce() -> Fut + Send + 'a,
        Fut: Future<Output = V> + Send + 'a,
    {
        async move {
            let load = |_| erased(async { Ok::<_, Infallible>(make().await) });
            let rest = |seat: Seat<K, V, Infallible>| -> Rest<'a, _> {
                let cache = self.lenient();
                Box::pin(async move { cache.as_ref().unwrap_or(self).load_on_scoped(key, seat, load).await })
            };
            let made = match self.begin_load(key, rest) {
                Ok(made) => made,
                Err(rest) => rest.await,
            };
            value_of(made)
        }
    }

    /// A handle for what has no error to return; `None` where this one will do. It waits for as long as a load takes.
    pub(crate) fn lenient(&self) -> Option<Self> {
        let limited = self.policy.loads.hard_timeout.is_some() || self.policy.loads.max_load_time.is_some();
        if !limited && !self.policy.minds_store_errors() {
            return None;
        }
        let lenient = self.clone().decide(|policy| {
            policy.on_store_error = Some(OnStoreError::Degrade);
            policy.loads.hard_timeout = None;
            policy.loads.max_load_time = None;
        });
        Some(lenient.with(CallOptions::patient))
    }
}

/// The value of a load that cannot fail.
///
/// # Panics
///
/// If there is none all the same.
#[track_caller]
pub(crate) fn value_of<V>(made: Result<V, LoadError<Infallible>>) -> V {
    match made {
        Ok(value) => value,
        Err(LoadError::Load(never)) => match *never {},
        Err(other) => panic!("`get_or_insert_with` has no value: {other}"),
    }
}
