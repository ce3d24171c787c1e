//! Reading through: [`get_or_load`](Cache::get_or_load), [`get_or_load_scoped`](Cache::get_or_load_scoped) and
//! [`get_or_insert_with`](Cache::get_or_insert_with).
//!
//! ```text
//! look ── fresh ── answer
//!   ├─── stale ─── answer, and fly in the background unless someone does
//!   └─── miss ──── board ── someone flies: wait with the others
//!                    └───── nobody does: ask the lower levels, load, store; everybody who waits is answered
//! ```

use crate::flight::{Flight, Outcome};
use crate::flights::{Boarding, Lead, board};
use crate::fly::{Inside, Loaded, Waited};
use crate::glance::{Rest, Seen};
use crate::holds::Holds;
use crate::spawn::spawn;
use crate::{Cache, Entry, LoadError, Lookup, cycle};
use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under `key`, and loads it with `load` where no level has it.
    ///
    /// However many callers miss one key, in whichever clone of the cache, one of them loads and the others wait
    /// for it. The load runs as a task of its own (without a runtime, inside its caller). Its value is stored in
    /// every level, with a life that is counted from when the load began, and returned even if no store would
    /// take it. If `remove`, `insert` or `clear` is called meanwhile, the value goes to those who wait for it
    /// already and is not stored.
    ///
    /// A stale value is returned at once, and reloaded in the background, where a lower level is asked first.
    ///
    /// Tokio's task-locals do not cross into the load. A load is driven by the runtime it began on: if that is a
    /// current-thread runtime whose `block_on` has returned, the load stands still, and so does who joins it.
    ///
    /// # Errors
    ///
    /// - [`LoadError::Load`]: `load` returned an error, which nobody stores. All who waited get the same one; who
    ///   expects another error type begins again with its own load.
    /// - [`LoadError::Panicked`]: `load` panicked. The next call loads again.
    /// - [`LoadError::Cycle`]: this call is made by a load that the value depends on.
    /// - [`LoadError::Abandoned`]: the runtime that ran the load has ended.
    /// - [`LoadError::Store`]: a level failed, where [`on_store_error`](Self::on_store_error) makes that an error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing: the load goes on, for the others and for the cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    ///
    /// let age = ages.get_or_load("ada", async || "36".parse()).await?;
    /// assert_eq!(age, 36);
    /// let again = ages.get_or_load("ada", async || "never asked".parse()).await?;
    /// assert_eq!(again, 36);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(()) }).unwrap();
    /// ```
    ///
    /// An `Ok(..)` alone does not say what the error would be, and what is unwrapped does not either; a
    /// load that cannot fail is for [`get_or_insert_with`](Self::get_or_insert_with).
    ///
    /// ```compile_fail,E0283
    /// # use larder::prelude::*;
    /// # async fn age(ages: &Cache<str, u32>) -> u32 {
    /// ages.get_or_load("ada", async || Ok(36)).await.unwrap()
    /// # }
    /// ```
    pub fn get_or_load<'a, F, Fut, E>(
        &'a self,
        key: &'a K,
        load: F,
    ) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        async move {
            let rest = |seen, landed| -> Rest<'a, _> { Box::pin(self.load_on(key, seen, landed, load)) };
            let rest = match self.begin_load(key, rest) {
                Ok(value) => return Ok(value),
                Err(rest) => rest,
            };
            rest.await
        }
    }

    /// Returns the value under `key`, and loads it with `load`, which may borrow, where no level has it.
    ///
    /// As [`get_or_load`](Self::get_or_load), but the load runs inside the future of its caller. So the caller
    /// that begins it waits for it even where a stale value could be served; the others are served that.
    ///
    /// # Errors
    ///
    /// As for [`get_or_load`](Self::get_or_load). If the load fails while a stale value may be served, that is
    /// returned instead.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future of the caller that loads loses the work; one of those who wait begins again with its
    /// own load.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// let file = String::from("36");
    ///
    /// let age = ages.get_or_load_scoped("ada", async || file.parse()).await?; // borrows `file`
    /// assert_eq!(age, 36);
    /// # Ok::<_, larder::LoadError<std::num::ParseIntError>>(()) }).unwrap();
    /// ```
    pub fn get_or_load_scoped<'a, F, Fut, E>(
        &'a self,
        key: &'a K,
        load: F,
    ) -> impl Future<Output = Result<V, LoadError<E>>> + Send + 'a
    where
        F: FnOnce() -> Fut + Send + 'a,
        Fut: Future<Output = Result<V, E>> + Send + 'a,
        E: Send + Sync + 'static,
    {
        async move {
            let rest =
                |seen, landed| -> Rest<'a, _> { Box::pin(self.load_on_scoped(key, seen, landed, load)) };
            let rest = match self.begin_load(key, rest) {
                Ok(value) => return Ok(value),
                Err(rest) => rest,
            };
            rest.await
        }
    }

    /// Returns the value under `key`, and makes it with `make` where no level has it.
    ///
    /// As [`get_or_load`](Self::get_or_load), for what cannot fail.
    ///
    /// # Panics
    ///
    /// When `make` panics, in every caller that waits for it; when `make` asks this cache, directly or through
    /// others, for the same key; when the runtime that ran `make` has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing: `make` goes on, for the others and for the cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let squares = Cache::new(Memory::<u64, u64>::new(1_000));
    /// assert_eq!(squares.get_or_insert_with(&12, async || 144).await, 144);
    /// # });
    /// ```
    pub fn get_or_insert_with<'a, F, Fut>(
        &'a self,
        key: &'a K,
        make: F,
    ) -> impl Future<Output = V> + Send + 'a
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = V> + Send + 'static,
    {
        async move {
            let load = || async { Ok::<_, Infallible>(make().await) };
            let rest = |seen, landed| -> Rest<'a, _> {
                let cache = self.lenient();
                Box::pin(async move { cache.as_ref().unwrap_or(self).load_on(key, seen, landed, load).await })
            };
            let made = match self.begin_load(key, rest) {
                Ok(value) => return value,
                Err(rest) => rest.await,
            };
            match made {
                Ok(value) => value,
                Err(LoadError::Load(never)) => match *never {},
                Err(other) => panic!("`get_or_insert_with` has no value: {other}"),
            }
        }
    }

    /// Answers, or returns the rest of the work. Not part of the callers, so that nothing of the first look
    /// lives in their futures, which are to stay small.
    #[inline]
    fn begin_load<'a, E>(
        &'a self,
        key: &'a K,
        rest: impl FnOnce(Seen<V>, u64) -> Rest<'a, Result<V, LoadError<E>>>,
    ) -> Result<V, Rest<'a, Result<V, LoadError<E>>>> {
        let landed = self.inner.flights.landed();
        match self.glance(key) {
            Ok(value) => Ok(value),
            Err(seen) => Err(rest(seen, landed)),
        }
    }

    /// Goes on after a first look that saw nothing fresh, with a load that can be a task.
    async fn load_on<F, Fut, E>(
        &self,
        key: &K,
        seen: Seen<V>,
        landed: u64,
        load: F,
    ) -> Result<V, LoadError<E>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let Duty { lead, from, waited, stale } = match self.seat(key, seen, landed).await {
            Seat::Answer(answer) => return answer,
            Seat::Lead(duty) => duty,
        };
        let flight = Arc::clone(&lead.flight);
        let load = Some(|| erased(load()));
        match (spawn(self.clone().fly(key.to_owned(), lead, from, waited, Inside::Task, load)), stale) {
            (Ok(()), Some(stale)) => Ok(stale.into_value()),
            (Ok(()), None) => {
                // The load has begun just now, so it cannot wait for this one yet.
                let _waiting = cycle::wait_for(flight.id);
                led(flight.wait(&*self.inner.clock).await, None)
            }
            (Err(flown), stale) => self.led_inside(&flight, flown, stale).await,
        }
    }

    /// As [`load_on`](Self::load_on), with a load that stays inside its caller.
    async fn load_on_scoped<F, Fut, E>(
        &self,
        key: &K,
        seen: Seen<V>,
        landed: u64,
        load: F,
    ) -> Result<V, LoadError<E>>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<V, E>> + Send,
        E: Send + Sync + 'static,
    {
        let Duty { lead, from, waited, stale } = match self.seat(key, seen, landed).await {
            Seat::Answer(answer) => return answer,
            Seat::Lead(duty) => duty,
        };
        let flight = Arc::clone(&lead.flight);
        let load = Some(|| erased(load()));
        let flown = self.clone().fly(key.to_owned(), lead, from, waited, Inside::Caller, load);
        self.led_inside(&flight, flown, stale).await
    }

    /// Flies inside the caller, and answers.
    async fn led_inside<E: Send + Sync + 'static>(
        &self,
        flight: &Flight<V>,
        flown: impl Future<Output = ()> + Send,
        stale: Option<Entry<V>>,
    ) -> Result<V, LoadError<E>> {
        let _waiting = cycle::wait_for(flight.id);
        flown.await;
        led(flight.wait(&*self.inner.clock).await, stale)
    }

    /// Gets an answer from a flight that is under way, or the duty to fly.
    async fn seat<E: Send + Sync + 'static>(
        &self,
        key: &K,
        mut seen: Seen<V>,
        mut landed: u64,
    ) -> Seat<K, V, E> {
        let counters = &self.inner.counters;
        loop {
            let mut old = None;
            let (from, stale) = match seen {
                Seen::Stale(entry) => {
                    counters.level(0).stale.add();
                    if self.is_backing_off(key) {
                        return Seat::Answer(Ok(entry.into_value()));
                    }
                    (1, Some(entry))
                }
                Seen::Ask(from, Some(kept)) if from == C::depth(&self.level) && self.is_backing_off(key) => {
                    counters.missed(0, from);
                    return Seat::Answer(Ok(kept.into_value()));
                }
                Seen::Ask(from, kept) => {
                    old = kept;
                    (from, None)
                }
            };
            match (board(&self.inner.flights, key, true), stale) {
                (Boarding::Lead(lead), stale) => {
                    // A flight that landed between the look and the boarding may have stored the value.
                    if self.inner.flights.landed() != landed
                        && let Ok(value) = self.glance(key)
                    {
                        lead.end(Outcome::Loaded(value.clone()));
                        return Seat::Answer(Ok(value));
                    }
                    if let Some(kept) = old {
                        lead.flight.fall_back_on(kept, 0);
                    }
                    let waited = if stale.is_some() { Waited::Not } else { Waited::For };
                    if waited == Waited::For {
                        counters.missed(0, from);
                    }
                    return Seat::Lead(Duty { lead, from, waited, stale });
                }
                (_, Some(stale)) => return Seat::Answer(Ok(stale.into_value())),
                (Boarding::Join(flight), None) => {
                    counters.joins.add();
                    if let Some(answer) = self.join(&flight).await {
                        return Seat::Answer(answer);
                    }
                }
                // Only who wants no load is sent alone.
                (Boarding::Alone(_), None) => {}
            }
            landed = self.inner.flights.landed();
            match self.glance(key) {
                Ok(value) => return Seat::Answer(Ok(value)),
                Err(next) => seen = next,
            }
        }
    }

    /// Whether a reload of this key failed a short while ago.
    fn is_backing_off(&self, key: &K) -> bool {
        self.inner.backoff.is_waiting(key, self.inner.clock.now())
    }

    /// Waits with the others; `None` means to begin again.
    async fn join<E: Send + Sync + 'static>(&self, flight: &Flight<V>) -> Option<Result<V, LoadError<E>>> {
        let clock = &*self.inner.clock;
        let outcome = match flight.so_far(clock) {
            Some(outcome) => outcome,
            None => {
                let Ok(_waiting) = cycle::wait_for(flight.id) else { return Some(Err(LoadError::Cycle)) };
                flight.wait(clock).await
            }
        };
        match outcome {
            Outcome::Loaded(value) => Some(Ok(value)),
            Outcome::Found(entry, _) => Some(Ok(entry.into_value())),
            Outcome::Failed(error) => error.downcast().ok().map(|error| Err(LoadError::Load(error))),
            Outcome::Panicked(message) => Some(Err(LoadError::Panicked(message))),
            // Who began the read may not have minded.
            Outcome::Unread(error) => self.policy.minds_store_errors().then(|| Err(LoadError::Store(error))),
            Outcome::Nothing | Outcome::Abandoned => None,
        }
    }
}

/// Where a caller that saw nothing fresh finds itself.
enum Seat<K: ?Sized + Lookup, V: Clone + Send + Sync, E> {
    Answer(Result<V, LoadError<E>>),
    Lead(Duty<K, V>),
}

/// The duty to load, and what goes with it.
struct Duty<K: ?Sized + Lookup, V: Clone + Send + Sync> {
    lead: Lead<K, V>,
    /// The first level to ask.
    from: usize,
    waited: Waited,
    /// What can be served meanwhile.
    stale: Option<Entry<V>>,
}

/// What the leader of a flight answers: if that failed, a stale entry that it holds.
fn led<V, E: Send + Sync + 'static>(outcome: Outcome<V>, stale: Option<Entry<V>>) -> Result<V, LoadError<E>> {
    match (outcome, stale) {
        (Outcome::Loaded(value), _) => Ok(value),
        (Outcome::Found(entry, _), _) => Ok(entry.into_value()),
        (_, Some(stale)) => Ok(stale.into_value()),
        (Outcome::Panicked(message), None) => Err(LoadError::Panicked(message)),
        // The leader's own load failed, so the type is right.
        (Outcome::Failed(error), None) => Err(error.downcast().map_or(LoadError::Abandoned, LoadError::Load)),
        (Outcome::Unread(error), None) => Err(LoadError::Store(error)),
        (Outcome::Nothing | Outcome::Abandoned, None) => Err(LoadError::Abandoned),
    }
}

/// Forgets the type of the error, which a flight shares between callers that may expect different ones.
async fn erased<V, E: Send + Sync + 'static>(loaded: impl Future<Output = Result<V, E>>) -> Loaded<V> {
    loaded.await.map_err(|error| Arc::new(error) as Arc<dyn Any + Send + Sync>)
}
