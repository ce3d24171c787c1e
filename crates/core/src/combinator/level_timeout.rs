//! `.level_timeout(d)`: how long a store may take to answer one call.
//!
//! ```text
//! L2 asked                                d
//!     |--- it answers: as without --------|
//!     |--- it does not ------------------ passed over: ask L3, or load
//!     |--- the answer itself, later ----------------------------------- nobody listens
//! ```
//!
//! A miss that meets n levels which hang takes n times as long as one. That is what the breaker is for: after some
//! such calls the level is not asked at all. A store that answers at once costs nothing, one that must be waited for
//! a timer. `guard` has the rest.

use crate::level::OneLevel;
use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Waits for this level's store for at most `span` a call; then the level counts as failed.
    ///
    /// A read passes it over. `insert` and `remove` return an error of [`ErrorKind::Timeout`](crate::ErrorKind::Timeout):
    /// what was to be written may then be there or not, and may still arrive, even after a later write of the same key,
    /// because what is on its way to a server cannot be called back. It then stays until it expires or is written
    /// again. [`clear`](Self::clear), which touches many entries in one call, is given 30 s, or `span` if that is longer;
    /// if it takes more, some entries may be left.
    ///
    /// A store that claims never to wait, such as memory, has no time-out. The result has a breaker of its own; with
    /// all else it is the cache that it was.
    ///
    /// # Default
    ///
    /// 1 second
    ///
    /// # Panics
    ///
    /// If `span` is zero.
    ///
    /// # Ordering
    ///
    /// It forms a level: say it before [`chain`](Self::chain), on the level that it is meant for. After it, or after
    /// [`boxed`](Self::boxed), it does not compile.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .chain(Cache::new(Object::in_memory()).codec(Json).level_timeout(millis(200)));
    /// ages.insert("ada", 36).await?;
    /// # assert_eq!(ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn level_timeout(self, span: Duration) -> Self
    where
        C: OneLevel,
    {
        assert!(
            !span.is_zero(),
            "a level that is given no time never answers: leave it out of the chain instead"
        );
        Cache { level: self.level.with_guard(|guard| guard.with_timeout(span)), ..self }
    }
}
