//! The operations of a cache for synchronous code: [`blocking`](Cache::blocking).
//!
//! ```text
//! call ── done at the first poll (memory, a load in the calling thread) ── answer
//!   └──── has to wait (a store, another caller's load)
//!            ├── no runtime, a thread of `spawn_blocking`, `enter` ─────── the thread waits
//!            ├── a task of a runtime with many threads ─────────────────── the thread hands its other tasks over, and waits
//!            └── a task of a current-thread runtime ────────────────────── panic, which names the cure
//! ```

mod background;
mod export;
mod invalidate;
mod load;
mod loading;
mod many;
mod read;
mod warm;
mod write;

pub use loading::BlockingLoading;
pub use warm::BlockingWarm;

use crate::block_on::block_on;
use crate::codec::PerLevel;
use crate::holds::Holds;
use crate::{Boxed, Cache, CallOptions, Lookup, Stats};
use std::fmt;
use std::future::Future;
use tokio::runtime::Handle;

/// A cache for synchronous code: what [`Cache::blocking`] makes. Its methods are those of the cache, and wait.
#[must_use = "a cache does nothing until it is asked"]
pub struct Blocking<K: ?Sized + Lookup, V, S = Boxed<K, V>, C = PerLevel> {
    cache: Cache<K, V, S, C>,
    /// Where the handle was made: for stores that need a runtime, when a thread outside of it asks.
    runtime: Option<Handle>,
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns this cache for synchronous code: the same operations, whose calls wait and whose loaders are plain closures.
    ///
    /// A cache of memory needs no runtime for it. What has to wait, for a store or for the load of another caller, waits on
    /// the calling thread; loads run there too. So it is for threads: those of a synchronous program, and those of
    /// `tokio::task::spawn_blocking`. A task of a runtime with several threads may use it as well, which costs
    /// the runtime a thread for as long as it waits.
    ///
    /// A store with connections (`Redis`, `Postgres`) lives on the runtime in which it was made, and somebody has to
    /// drive that. The handle remembers the runtime in which it was made, and calls from threads outside of it work. Make it
    /// once, and clone it: `{ let _in = runtime.enter(); cache.blocking() }`.
    ///
    /// [`refresh_every`](Self::refresh_every), [`publish`](Self::publish) and [`mirror`](Self::mirror) have no other form:
    /// they wait for nothing, and what they return is read without waiting. They begin tasks, so a thread begins them in a
    /// runtime that somebody drives: `{ let _in = runtime.enter(); cache.refresh_every(minutes(1), "rates", load) }`.
    ///
    /// # Panics
    ///
    /// Its methods panic where waiting would stop what they wait for: in a task of a current-thread runtime, or of a
    /// `LocalSet`, if the answer is not there at once. `.await` the method of the cache itself there.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(minutes(5)).blocking();
    ///
    /// let age = ages.get_or_load("ada", || "36".parse())?; // one load, however many threads
    /// assert_eq!(age, 36);
    /// assert_eq!(ages.get("ada").unwrap(), Some(36));
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(())
    /// ```
    pub fn blocking(&self) -> Blocking<K, V, S, C> {
        Blocking { cache: self.clone(), runtime: Handle::try_current().ok() }
    }
}

impl<K: ?Sized + Lookup, V, S, C> Blocking<K, V, S, C> {
    /// Returns the cache, whose methods are asynchronous.
    pub fn cache(&self) -> &Cache<K, V, S, C> {
        &self.cache
    }

    /// Returns a handle whose calls ask for what `options` says: [`Cache::with`].
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.with(|call| call.ttl(secs(5))).insert_many([("ada", 36), ("bob", 41)]).all()?;
    /// assert!(ages.lookup("bob")?.unwrap().ttl_left() <= Some(secs(5)));
    /// # larder::Result::Ok(())
    /// ```
    pub fn with(&self, options: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        Blocking { cache: self.cache.with(options), runtime: self.runtime.clone() }
    }

    #[track_caller]
    fn wait<F: Future>(&self, future: F) -> F::Output {
        block_on(self.runtime.as_ref(), future)
    }
}

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns what the cache counted: [`Cache::stats`].
    pub fn stats(&self) -> Stats {
        self.cache.stats()
    }
}

impl<K: ?Sized + Lookup, V, S, C> Clone for Blocking<K, V, S, C> {
    fn clone(&self) -> Self {
        Blocking { cache: self.cache.clone(), runtime: self.runtime.clone() }
    }
}

impl<K, V, S, C> fmt::Debug for Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    C: Holds<S, K, V>,
{
    /// Prints the cache.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cache.fmt(f)
    }
}
