//! `.fallback(|k| ..)`: what to answer when a load fails and there is nothing old.
//!
//! ```text
//! load fails                  retry_after
//!     |--------------------------|
//!     | the fallback, no load    | load
//! ```
//!
//! It is not stored: it answers until the next try, and only through this handle and its clones.

use crate::{Cache, Lookup};
use std::sync::Arc;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Answers with what `value` returns when a load fails, panics or times out, and nothing old can be served.
    ///
    /// Until [`retry_after`](Self::retry_after) has passed, calls for that key get it without a load. Reads without a
    /// loader do not. A load that says [`no_fallback`](crate::load::no_fallback) has its error reach its callers.
    ///
    /// # Default
    ///
    /// None: the error reaches its callers.
    ///
    /// # Ordering
    ///
    /// It governs loads, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there. After
    /// [`codec`](Self::codec), which changes the type of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let greetings = Cache::new(Memory::<str, String>::new(100)).fallback(|_language| "Hello".into());
    ///
    /// let greeting = greetings.get_or_load("fr", async || Err("the database is down")).await;
    /// assert_eq!(greeting.unwrap(), "Hello");
    /// # });
    /// ```
    pub fn fallback(self, value: impl Fn(&K) -> V + Send + Sync + 'static) -> Self {
        self.decide(|policy| policy.loads.fallback = Some(Arc::new(value)))
    }
}
