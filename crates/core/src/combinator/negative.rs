//! `.negative(ttl)`: that there is nothing is remembered for a time of its own.
//!
//! The value of such a cache is an `Option<T>`, and absence is the value `None`: a hit on it is `Some(None)`, a miss is
//! `None`. Without this, absence lives as long as any value. Absence has no windows: once its time is over, it is neither
//! served stale nor kept for failures.

use crate::load_rules::Negative;
use crate::{Cache, Lookup};
use std::time::Duration;

impl<K: ?Sized + Lookup, T, S, C> Cache<K, Option<T>, S, C> {
    /// Lets a `None` live for `ttl`, whatever other values do. Zero does not store it, and removes what was there.
    ///
    /// It stands in place of the ttl that was said after [`chain`](Self::chain) (or, without a chain, at all); the ttl of a
    /// level still bounds what that level keeps, and a call or a load that says its own prevails.
    ///
    /// # Default
    ///
    /// As for other values.
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
    /// let users = Cache::new(Memory::<u64, Option<String>>::new(1_000)).ttl(hours(1)).negative(secs(10));
    ///
    /// let user = users.get_or_insert_with(&7, async || None).await; // not in the database
    /// assert_eq!(user, None);
    /// let found = users.lookup(&7).await?.expect("absence is a value");
    /// assert!(found.ttl_left() <= Some(secs(10)));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn negative(self, ttl: Duration) -> Self {
        self.decide(|policy| policy.loads.negative = Some(Negative { ttl, is_absent: Option::is_none }))
    }
}
