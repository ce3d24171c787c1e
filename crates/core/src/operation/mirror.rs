//! A private copy of what another process publishes: [`mirror`](Cache::mirror).

use crate::crowd::BoxFuture;
use crate::fly::Waited;
use crate::follower::Follower;
use crate::holds::{Cx, Fetched, Holds, Skip};
use crate::random::Random;
use crate::refreshed::Work;
use crate::{Cache, Error, LoadError, Lookup, Mirror, RefreshOptions, Refreshed, Start};
use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;

/// An insertion removes what was there, and then writes. What is gone is looked for once more when that is surely done.
const BETWEEN: Duration = Duration::from_millis(100);

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Reads the value under `key` from the store now and every `interval`, and holds it where it is read without waiting: see
    /// [`Mirror`].
    ///
    /// It is read past the cache's memory, and nothing is loaded: some process [publishes](Self::publish) it. Each mirror is one
    /// of its own.
    ///
    /// Where the group has a [bus](crate::CoherenceOptions::bus), what another process publishes is read at once, and, where
    /// the bus was away, when it is back; the interval is then for what the bus loses, and may be long. A value that is removed, or inserted
    /// otherwise, is noticed at the next interval.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, and if `interval` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let redis = larder_testkit::FakeBytes::new();
    /// let rates: Cache<str, f64, _, _> = Cache::new(redis).codec(Json).namespace("rates");
    /// rates.insert("EUR", 1.08).await?;
    ///
    /// let euro = rates.mirror("EUR", minutes(1));
    /// assert_eq!(euro.ready().await?, Some(1.08));
    /// assert_eq!(euro.get(), Some(1.08)); // asks nobody
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn mirror(&self, key: &K, interval: Duration) -> Mirror<V> {
        let inner = &self.inner;
        let follower = Follower::new(&inner.clock, &inner.coherence, self.address(key)).mirror();
        let follower = Arc::new(follower);
        if let Some(address) = C::address(&self.level, key) {
            inner.coherence.tell_of(&address, &follower);
        }
        let mut levels = Vec::new();
        C::describe(&self.level, &mut levels);
        let memory = levels.iter().enumerate().filter(|(_, level)| level.codec.is_none());
        // Memory alone is what there is.
        let all = levels.iter().all(|level| level.codec.is_none());
        let reads = if all { 0 } else { memory.fold(0, |bits, (number, _)| bits | 1 << number) };
        let (cache, key, copy) = (self.clone(), Arc::new(key.to_owned()), Arc::clone(&follower));
        // One at a time: the later one of two has the newer value.
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        let load = Box::new(move |_| -> BoxFuture<'static, _> {
            let (cache, key, copy) = (cache.clone(), Arc::clone(&key), Arc::clone(&copy));
            let turn = Arc::clone(&turn);
            Box::pin(async move {
                let _turn = turn.lock().await;
                if !cache.is_reading() {
                    return Ok(());
                }
                let mut read = cache.read_past((*key).borrow(), reads).await;
                if matches!(read, Ok(None)) && !copy.is_empty() {
                    cache.inner.clock.sleep(BETWEEN).await;
                    read = cache.read_past((*key).borrow(), reads).await;
                }
                drop(copy.replace(read.map_err(LoadError::Store)?.map(|found| found.entry)));
                Ok(())
            })
        });
        let work = Work { look: Box::new(|| Box::pin(std::future::ready(()))), load };
        let options = RefreshOptions::default().start(Start::Now);
        Mirror::new(Refreshed::begin(follower, work, interval, options, Random::unpredictable()))
    }

    /// What the levels have, but for those that are left out.
    async fn read_past(&self, key: &K, reads: u64) -> Result<Option<Fetched<V>>, Error> {
        let cx = Cx { skip: Skip { reads, writes: 0 }, ..self.cx() };
        let (found, error) = self.fetch(key, 0, Waited::Not, None, cx).await;
        match (found.filter(Fetched::is_hit), error) {
            (None, Some(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }
}
