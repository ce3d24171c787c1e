//! Ending the life of one key: [`expire`](Cache::expire).

use crate::flights::Visit;
use crate::holds::{Cx, Holds, Step};
use crate::shared_log::Name;
use crate::spawn::{at_once, in_turn};
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
    /// Ends the life of what is under `key` in every level, and keeps it for loads that fail.
    ///
    /// Afterwards reads miss, and the next `get_or_load` waits for its load. If that fails, the value is served, for as
    /// long as [`stale_if_error`](Self::stale_if_error) says; without that it is removed. For the rest this is
    /// [`remove`](Self::remove): once it has returned, no value whose load or read began before the call is stored or
    /// served as if it were not expired.
    ///
    /// # Errors
    ///
    /// The first error of a level. All levels are tried, and each failure is reported to the observers.
    ///
    /// # Cancel safety
    ///
    /// As for [`remove`](Self::remove).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(minutes(5)).stale_if_error(hours(24));
    /// ages.insert("ada", 36).await?;
    ///
    /// ages.expire("ada").await?;
    /// assert_eq!(ages.get("ada").await?, None);
    /// let age = ages.get_or_load("ada", async || Err("the database is down")).await;
    /// assert_eq!(age.unwrap(), 36);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn expire<'a>(&'a self, key: &'a K) -> impl Future<Output = Result<()>> + Send + 'a {
        async move {
            let kept = self.policy.kept();
            let is_shared = self.inner.coherence.shared().is_some();
            let immediate =
                !is_shared && C::depth(&self.level) == 1 && !C::waits(&self.level, &[Step::Remove]);
            // What is kept is read and written back, and needs the turn: nothing must be written in between.
            if immediate && kept[0].is_zero() && self.inner.flights.is_idle(key) {
                self.inner.failures.forget(key);
                return at_once(C::expire(&self.level, self.cx(), key, &kept));
            }
            Box::pin(self.expire_in_turn(key)).await
        }
    }

    async fn expire_in_turn(&self, key: &K) -> Result<()> {
        let visit = Visit::begin(&self.inner.flights, key);
        let (cache, key, turn) = (self.clone(), key.to_owned(), visit.turn());
        in_turn(turn, async move |turn| {
            // The guard is dropped first. It is also for those who came meanwhile and read a level that still had
            // the value.
            let _turn = turn;
            let _overtaking = visit.overtake_at_the_end(key.borrow(), &cache.inner.failures);
            // What is kept is read with its token, and written back in its place.
            let cx = Cx { loads: true, ..cache.cx_of(&visit) };
            let expired = C::expire(&cache.level, cx, key.borrow(), &cache.policy.kept()).await;
            cache.number_key(key.borrow(), |key| Name::key(key).expiring()).await.and(expired)
        })
        .await
    }
}
