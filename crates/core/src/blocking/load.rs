//! Reading through, for synchronous code.

use super::{Blocking, background};
use crate::block_on::run_blocking;
use crate::glance::Rest;
use crate::holds::Holds;
use crate::operation::value_of;
use crate::seat::erased;
use crate::{Cache, LoadContext, LoadError, Lookup};
use std::convert::Infallible;

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under `key`, and loads it with `load` where no level has it.
    ///
    /// As [`Cache::get_or_load`]: however many callers miss one key, in this handle or in the cache that it is of, one of them
    /// loads and the others wait for it. The load runs on the thread of its caller, and may borrow. So the caller that
    /// begins it waits for it even where a stale value could be served; the others are served that. Nothing can cut a
    /// closure off: the [time-outs](Cache::hard_timeout) of a load are noticed when it returns, and a
    /// [lease](Cache::lock_lease) is not renewed meanwhile.
    ///
    /// # Errors
    ///
    /// As for [`Cache::get_or_load`]. If the load fails while a stale value may be served, that is returned instead.
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`]. If `load` panics, that is [`LoadError::Panicked`].
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// let file = String::from("36");
    ///
    /// assert_eq!(ages.get_or_load("ada", || file.parse())?, 36); // borrows `file`
    /// assert_eq!(ages.get_or_load("ada", || "never asked".parse())?, 36);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(())
    /// ```
    #[track_caller]
    pub fn get_or_load<E: Send + Sync + 'static>(
        &self,
        key: &K,
        load: impl FnOnce() -> Result<V, E> + Send,
    ) -> Result<V, LoadError<E>> {
        self.load(&self.cache, key, |_| load())
    }

    /// Returns the value under `key`, and loads it with `load`, which is given a context, where no level has it: as
    /// [`get_or_load`](Self::get_or_load), with the context of [`Cache::get_or_load_with`].
    ///
    /// # Errors
    ///
    /// As for [`get_or_load`](Self::get_or_load).
    ///
    /// # Panics
    ///
    /// As for [`get_or_load`](Self::get_or_load).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// let age = ages.get_or_load_with("36", |cx| {
    ///     cx.ttl(secs(5));
    ///     cx.key().parse()
    /// })?;
    /// assert_eq!(age, 36);
    /// assert!(ages.lookup("36").unwrap().unwrap().ttl_left() <= Some(secs(5)));
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(())
    /// ```
    #[track_caller]
    pub fn get_or_load_with<E: Send + Sync + 'static>(
        &self,
        key: &K,
        load: impl FnOnce(LoadContext<K, V>) -> Result<V, E> + Send,
    ) -> Result<V, LoadError<E>> {
        self.load(&self.cache, key, load)
    }

    /// Returns the value under `key`, and makes it with `make` where no level has it: as
    /// [`get_or_load`](Self::get_or_load), for what cannot fail.
    ///
    /// # Panics
    ///
    /// As [`Cache::get_or_insert_with`], and where it must not wait: [`Cache::blocking`].
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let squares = Cache::new(Memory::<u64, u64>::new(1_000)).blocking();
    /// assert_eq!(squares.get_or_insert_with(&12, || 144), 144);
    /// ```
    #[track_caller]
    pub fn get_or_insert_with(&self, key: &K, make: impl FnOnce() -> V + Send) -> V {
        let lenient = self.cache.lenient();
        let cache = lenient.as_ref().unwrap_or(&self.cache);
        value_of(self.load(cache, key, |_| Ok::<_, Infallible>(make())))
    }

    /// Returns the value under `key`, and loads it with `load`, which owns what it uses, where no level has it.
    ///
    /// As [`get_or_load`](Self::get_or_load), but where a stale value can be served, or one that is fresh and due for a reload, it is
    /// returned at once: `load` then runs on another thread, one that the runtime has for this, or without a runtime one of its
    /// own. There are at most 32 of the latter; beyond that the caller loads.
    ///
    /// # Errors
    ///
    /// As for [`get_or_load`](Self::get_or_load).
    ///
    /// # Panics
    ///
    /// As for [`get_or_load`](Self::get_or_load).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(secs(60)).stale(secs(30)).blocking();
    /// let file = String::from("36");
    ///
    /// assert_eq!(ages.get_or_load_owned("ada", move || file.parse())?, 36);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(())
    /// ```
    #[track_caller]
    pub fn get_or_load_owned<E: Send + Sync + 'static>(
        &self,
        key: &K,
        load: impl FnOnce() -> Result<V, E> + Send + 'static,
    ) -> Result<V, LoadError<E>> {
        self.load_elsewhere(&self.cache, key, load)
    }

    /// Returns the value under `key`, and makes it with `make`, which owns what it uses, where no level has it: as
    /// [`get_or_load_owned`](Self::get_or_load_owned), for what cannot fail.
    ///
    /// # Panics
    ///
    /// As for [`get_or_insert_with`](Self::get_or_insert_with).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let squares = Cache::new(Memory::<u64, u64>::new(1_000)).blocking();
    /// assert_eq!(squares.get_or_insert_with_owned(&12, || 144), 144);
    /// ```
    #[track_caller]
    pub fn get_or_insert_with_owned(&self, key: &K, make: impl FnOnce() -> V + Send + 'static) -> V {
        let lenient = self.cache.lenient();
        let cache = lenient.as_ref().unwrap_or(&self.cache);
        value_of(self.load_elsewhere(cache, key, || Ok::<_, Infallible>(make())))
    }

    #[track_caller]
    fn load_elsewhere<E: Send + Sync + 'static>(
        &self,
        cache: &Cache<K, V, S, C>,
        key: &K,
        load: impl FnOnce() -> Result<V, E> + Send + 'static,
    ) -> Result<V, LoadError<E>> {
        let load = |_| erased(async move { run_blocking(load) });
        let start = |flown| background::start(self.runtime.as_ref(), flown);
        let rest = |seat| -> Rest<'_, _> { Box::pin(cache.load_on_elsewhere(key, seat, load, start)) };
        match cache.begin_load(key, rest) {
            Ok(answer) => answer,
            Err(rest) => self.wait(rest),
        }
    }

    #[track_caller]
    fn load<E: Send + Sync + 'static>(
        &self,
        cache: &Cache<K, V, S, C>,
        key: &K,
        load: impl FnOnce(LoadContext<K, V>) -> Result<V, E> + Send,
    ) -> Result<V, LoadError<E>> {
        let load = |cx| erased(async move { run_blocking(|| load(cx)) });
        let rest = |seat| -> Rest<'_, _> { Box::pin(cache.load_on_scoped(key, seat, load)) };
        match cache.begin_load(key, rest) {
            Ok(answer) => answer,
            Err(rest) => self.wait(rest),
        }
    }
}
