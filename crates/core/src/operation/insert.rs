//! Writing: [`insert`](Cache::insert) and [`insert_with`](Cache::insert_with).

use crate::flights::Visit;
use crate::holds::{Gift, Holds};
use crate::policy::Plan;
use crate::shared_log::Name;
use crate::spawn::at_once;
use crate::stow::planned;
use crate::terms::Terms;
use crate::{Cache, Lookup, Result};
use std::borrow::Borrow;
use std::future::Future;
use std::time::{Duration, SystemTime};

/// What one [`insert_with`](Cache::insert_with) says about its entry.
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until they are returned to the call"]
pub struct InsertOptions {
    /// Behind a pointer, because most insertions have none and their futures are to stay small.
    terms: Option<Box<Terms>>,
}

impl InsertOptions {
    fn said(&mut self) -> &mut Terms {
        self.terms.get_or_insert_default()
    }

    /// Sets the fresh life of this entry, in place of what was said after `.chain` (or, without a chain, at
    /// all). The ttl of a level still bounds what that level keeps.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.said().ttl = Some(ttl);
        self
    }

    /// Sets the stale window of this entry, in every level that is written now. A copy that is made later, when a
    /// level in front has lost the entry, has the window of that level.
    pub fn stale(mut self, window: Duration) -> Self {
        self.said().stale = Some(window);
        self
    }

    /// Sets for how long this entry is kept for loads that fail, after its stale window.
    pub fn stale_if_error(mut self, window: Duration) -> Self {
        self.said().kept = Some(window);
        self
    }

    /// Gives the entry a tag.
    pub fn tag(mut self, tag: impl AsRef<str>) -> Self {
        self.said().tag(tag.as_ref());
        self
    }

    /// Notes the entity tag that the source gave, for the next load of this key:
    /// [`LoadContext::previous`](crate::LoadContext::previous).
    pub fn etag(mut self, etag: impl AsRef<str>) -> Self {
        self.said().etag = Some(etag.as_ref().into());
        self
    }

    /// Notes when the source last changed the value, for the next load of this key.
    pub fn last_modified(mut self, time: SystemTime) -> Self {
        self.said().last_modified = Some(time);
        self
    }
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Puts `value` under `key` in every level, in place of what was there.
    ///
    /// Once this has returned, no value whose load or read began before the call is stored over this one or served
    /// in its place, by this cache, its clones and its boxed form; and by other processes, where a store keeps a log of
    /// invalidations, as with [`remove`](Self::remove). A ttl of zero, and a veto of
    /// [`cache_if`](Self::cache_if), remove what was there.
    ///
    /// A level may be written in another way: past it, or later and in the background, see [`write`](Self::write).
    ///
    /// # Errors
    ///
    /// The first error of a level. All levels are tried, and each failure is reported to the observers. A level
    /// that failed may still hold the older value; one that did not answer in time may yet take this one, see
    /// [`level_timeout`](Self::level_timeout).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before its turn to write, nothing is written; levels that wait are written to the
    /// end once that has begun. (Without a runtime that, too, stops with the future. On a current-thread runtime
    /// that nobody drives any more it stands still, and with it who comes after.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 35).await?;
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn insert<'a>(&'a self, key: &'a K, value: V) -> impl Future<Output = Result<()>> + Send + 'a {
        self.insert_with(key, value, |options| options)
    }

    /// Puts `value` under `key`, as [`insert`](Self::insert), with a life of its own.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    ///
    /// # Cancel safety
    ///
    /// As for [`insert`](Self::insert).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(secs(60));
    /// ages.insert_with("ada", 36, |entry| entry.ttl(hours(1))).await?;
    ///
    /// let left = ages.lookup("ada").await?.and_then(|found| found.ttl_left());
    /// assert!(left > Some(secs(3500)));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn insert_with<'a, O>(
        &'a self,
        key: &'a K,
        value: V,
        options: O,
    ) -> impl Future<Output = Result<()>> + Send + 'a
    where
        O: FnOnce(InsertOptions) -> InsertOptions,
    {
        let terms = options(InsertOptions::default()).terms;
        async move {
            if self.inner.coherence.shared().is_some() {
                return Box::pin(self.insert_for_all(key, value, terms)).await;
            }
            let plan = self.plan_insert(key, &value, terms);
            let immediate = C::depth(&self.level) == 1 && !C::waits(&self.level, &plan);
            if immediate && self.inner.flights.is_idle(key) {
                self.keep_house(&plan);
                self.inner.failures.forget(key);
                return at_once(C::put(&self.level, self.cx(), key, Gift::Own(value), &plan));
            }
            Box::pin(self.insert_in_turn(key, value, plan)).await
        }
    }

    /// What is vetoed, or comes while writes are paused, is not written, and what it replaces is removed.
    fn plan_insert(&self, key: &K, value: &V, terms: Option<Box<Terms>>) -> Plan {
        if !self.is_writing() || !self.policy.loads.admits(value) {
            return self.policy.removal();
        }
        let since = self.inner.coherence.since(self.inner.clock.now_exact());
        let terms = terms.map_or_else(|| self.terms(), |said| said.or(&self.terms()));
        self.policy.insertion(key, value, &self.policy.tagged(key, value, terms), since)
    }

    /// As an insertion in turn, where other processes are told of it: what was there is invalidated first, and the value
    /// begins after that.
    async fn insert_for_all(&self, key: &K, value: V, terms: Option<Box<Terms>>) -> Result<()> {
        let visit = Visit::begin(&self.inner.flights, key);
        let (cache, key, turn) = (self.clone(), key.to_owned(), visit.turn());
        self.in_turn(turn, async move |turn| {
            // The guard is dropped first.
            let _turn = turn;
            let mut overtaking = visit.overtake_at_the_end(key.borrow(), &cache.inner.failures);
            let voided = cache.void(&visit, key.borrow()).await;
            let plan = cache.plan_insert(key.borrow(), &value, terms);
            cache.keep_house(&plan);
            overtaking.leaves(visit.is_followed().then(|| planned(&plan, &value)).flatten());
            let put = C::put(&cache.level, cache.cx_of(&visit), key.borrow(), Gift::Own(value), &plan).await;
            voided.and(put)
        })
        .await
    }

    /// Invalidates what was there under the key, for all processes.
    async fn void(&self, visit: &Visit<K, V>, key: &K) -> Result<()> {
        if self.numbers_itself() {
            return C::void(&self.level, self.cx_of(visit), key).await;
        }
        self.number_key(key, Name::key).await
    }

    async fn insert_in_turn(&self, key: &K, value: V, plan: Plan) -> Result<()> {
        let visit = Visit::begin(&self.inner.flights, key);
        let (cache, waits, key) = (self.clone(), C::waits(&self.level, &plan), key.to_owned());
        let (now, turn) = (if waits { None } else { visit.try_turn() }, visit.turn());
        let insert = async move |turn| {
            // The guard is dropped first. It is also for those who came meanwhile and read a level that still had
            // the older value.
            let _turn = turn;
            let mut overtaking = visit.overtake_at_the_end(key.borrow(), &cache.inner.failures);
            // It may have waited for its turn.
            let plan = if cache.is_writing() { plan } else { cache.policy.removal() };
            cache.keep_house(&plan);
            overtaking.leaves(visit.is_followed().then(|| planned(&plan, &value)).flatten());
            C::put(&cache.level, cache.cx(), key.borrow(), Gift::Own(value), &plan).await
        };
        match now {
            Some(turn) => insert(turn).await,
            None => self.in_turn(turn, insert).await,
        }
    }
}
