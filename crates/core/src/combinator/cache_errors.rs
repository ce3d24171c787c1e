//! `.cache_errors(ttl, |e| ..)`: the errors of some loads answer the calls that come after.
//!
//! ```text
//! load fails                      ttl
//!     |-----------------------------|
//!     | the same error, no load     | load
//! ```
//!
//! They stay in the process, in a bounded table beside the stores: an error need not be encoded, and nothing else in the
//! cache is the worse for it. `remove`, `insert`, `expire` and `clear` forget them, and so does who invalidates a tag that the load
//! had by then. An error that shall travel is a value:
//! `Cache<K, Result<V, E>>` with `.ttl_with(|_, result| ..)`.

use crate::{Cache, Lookup};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Remembers an error of type `E` for `ttl`, if `which` says so: calls for its key that have nothing else to be
    /// answered with get it, as the `Arc` that it came in, without a load.
    ///
    /// A call that expects errors of another type loads. Where something old is served in place of the error, the error is
    /// not remembered. It may be said for several types; for one type, the first that says yes counts. Some 16,000 failing
    /// keys are held; beyond that a part of them is forgotten. If `which` panics, the error is not remembered.
    ///
    /// # Default
    ///
    /// No error is remembered: each call loads.
    ///
    /// # Ordering
    ///
    /// It governs loads, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// #[derive(Debug)]
    /// enum DbError { NoSuchUser, NoConnection }
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .cache_errors(secs(10), |error: &DbError| matches!(error, DbError::NoSuchUser));
    ///
    /// let first = ages.get_or_load("bob", async || Err(DbError::NoSuchUser)).await;
    /// assert!(first.is_err());
    /// let second = ages.get_or_load("bob", async || Err(DbError::NoConnection)).await; // not asked
    /// assert!(matches!(second.unwrap_err().as_load(), Some(DbError::NoSuchUser)));
    /// # });
    /// ```
    pub fn cache_errors<E: Send + Sync + 'static>(
        self,
        ttl: Duration,
        which: impl Fn(&E) -> bool + Send + Sync + 'static,
    ) -> Self {
        let remember = move |error: &(dyn Any + Send + Sync)| {
            error.downcast_ref().filter(|error| which(error)).map(|_| ttl)
        };
        self.decide(|policy| policy.loads.cache_errors.push(Arc::new(remember)))
    }
}
