//! `.breaker(b)`: when a level that fails is left alone.
//!
//! ```text
//! too many calls fail      open_for     2 open_for            4 open_for, up to 60 s
//!         |--------------------|-----------------------|---------------- .. ----------|
//!         | no call asks       one probe, fails        one probe, fails               one probe, answered: as before
//! ```
//!
//! A call that is refused costs a lock and a look at the clock, instead of the level's time-out. What counts as a failure
//! is that the store did not do its work: an error of its own, or no answer in time. Bytes that cannot be decoded, a
//! value too large, or a request that it does not know are answers. The machine is in `circuit`.

use crate::level::OneLevel;
use crate::{Breaker, Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Leaves this level out of calls while too many of them fail, as `breaker` says.
    ///
    /// Reads go on to the next level, or to the loader; `insert`, `remove` and `clear` return an error of
    /// [`ErrorKind::BreakerOpen`](crate::ErrorKind::BreakerOpen), once all other levels have done their part.
    /// [`LevelStats::skipped`](crate::LevelStats::skipped) counts both, and
    /// [`Event::BreakerChanged`](crate::Event::BreakerChanged) tells when it opens and closes. After a while one call is
    /// let through: if the store answers it, all are again. What was not written or removed meanwhile is not made up
    /// for: what the store held before it went away is served again.
    ///
    /// A store that claims never to wait, such as memory, has no breaker.
    ///
    /// # Default
    ///
    /// [`Breaker::default`]: open for 5 s when half of at least 10 calls within 10 s failed. [`Breaker::off`] never opens.
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
    /// use larder::Breaker;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let remote = Cache::new(Object::in_memory()).codec(Json).breaker(Breaker::default().open_for(secs(1)));
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).chain(remote);
    /// ages.insert("ada", 36).await?;
    ///
    /// assert_eq!(ages.stats().levels[0].breaker, None); // memory
    /// assert_eq!(ages.stats().levels[1].breaker, Some(larder::BreakerState::Closed));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn breaker(self, breaker: Breaker) -> Self
    where
        C: OneLevel,
    {
        Cache { level: self.level.with_guard(|guard| guard.with_breaker(breaker)), ..self }
    }
}
