//! Removing one key: [`remove`](Cache::remove).

use crate::flights::Visit;
use crate::holds::{Holds, Step};
use crate::shared_log::Name;
use crate::spawn::at_once;
use crate::{Cache, Lookup, Result};
use std::borrow::Borrow;
use std::future::Future;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Removes what is under `key` from every level.
    ///
    /// Once this has returned, no value whose load or read began before the call is stored or served by this cache,
    /// its clones and its boxed form. Where the store keeps a log of invalidations (Redis,
    /// PostgreSQL) that holds for what other processes read from it too, and for what they have in front of it at the latest
    /// when the [bound](crate::CoherenceOptions::bound) is over; elsewhere other caches and processes serve what they have in
    /// front of the store until that expires. A load that is under way goes on, for those who wait for it already.
    ///
    /// # Errors
    ///
    /// The first error of a level; that level may still hold the value. All levels are tried, and each failure
    /// is reported to the observers.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before its turn, nothing is removed; once it has begun it goes on to the end. (Without
    /// a runtime that, too, stops with the future. On a current-thread runtime
    /// that nobody drives any more it stands still, and with it who comes after.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    /// ages.remove("ada").await?;
    /// assert_eq!(ages.get("ada").await?, None);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn remove<'a>(&'a self, key: &'a K) -> impl Future<Output = Result<()>> + Send + 'a {
        async move {
            let is_shared = self.inner.coherence.shared().is_some();
            let immediate =
                !is_shared && C::depth(&self.level) == 1 && !C::waits(&self.level, &[Step::Remove]);
            if immediate && self.inner.flights.is_idle(key) {
                self.inner.failures.forget(key);
                return at_once(C::remove(&self.level, self.cx(), key));
            }
            Box::pin(self.remove_in_turn(key)).await
        }
    }

    async fn remove_in_turn(&self, key: &K) -> Result<()> {
        let visit = Visit::begin(&self.inner.flights, key);
        let (cache, key, turn) = (self.clone(), key.to_owned(), visit.turn());
        self.in_turn(turn, async move |turn| {
            // The guard is dropped first. It is also for those who came meanwhile and read a level that still had
            // the value.
            let _turn = turn;
            let _overtaking = visit.overtake_at_the_end(key.borrow(), &cache.inner.failures);
            let removed = C::remove(&cache.level, cache.cx(), key.borrow()).await;
            cache.number_key(key.borrow(), Name::key).await.and(removed)
        })
        .await
    }
}
