//! A schedule that writes for other processes: [`publish`](Cache::publish).

use crate::crowd::BoxFuture;
use crate::holds::{Holds, Stamp};
use crate::random::Random;
use crate::refreshed::Work;
use crate::spawn::catch_panic;
use crate::{
    Cache, Coherence, Entry, Error, ErrorKind, InsertOptions, LoadError, Lookup, RefreshOptions, Refreshed,
    Result,
};
use std::borrow::Borrow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads the value under `key` every `interval`, and inserts it for all processes that share a level with this one, who
    /// [mirror](Self::mirror) it, or read it as they read everything.
    ///
    /// As [`refresh_every`](Self::refresh_every), with these differences: each value is [inserted](Self::insert), and so
    /// replaces the copies that other processes have in memory, with a log of invalidations at once; it is loaded each
    /// interval, whatever there is; and nobody else writes it: one key has one writer in a process.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DuplicateWriter`] while this process publishes the key already, and [`ErrorKind::Unsupported`] if no level
    /// is a store of bytes: nobody could read it there.
    ///
    /// # Panics
    ///
    /// As of [`refresh_every`](Self::refresh_every).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{ErrorKind, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let redis = larder_testkit::FakeBytes::new();
    /// let rates: Cache<str, f64, _, _> = Cache::new(redis).codec(Json).namespace("rates");
    /// let euro = rates.publish(minutes(5), "EUR", async || Ok::<_, std::io::Error>(1.08))?;
    /// assert_eq!(euro.ready().await.unwrap(), 1.08);
    /// assert_eq!(rates.get("EUR").await?, Some(1.08));
    ///
    /// let second = rates.publish(minutes(5), "EUR", async || Ok::<_, std::io::Error>(1.07));
    /// assert_eq!(second.unwrap_err().kind(), ErrorKind::DuplicateWriter);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn publish<F, Fut, E>(&self, interval: Duration, key: &K, load: F) -> Result<Refreshed<V, E>>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        self.publish_with(interval, key, |options| options, load)
    }

    /// As [`publish`](Self::publish), in the way that `options` says.
    ///
    /// # Errors
    ///
    /// As of [`publish`](Self::publish).
    ///
    /// # Panics
    ///
    /// As of [`publish`](Self::publish).
    #[track_caller]
    pub fn publish_with<F, Fut, E>(
        &self,
        interval: Duration,
        key: &K,
        options: impl FnOnce(RefreshOptions<E>) -> RefreshOptions<E>,
        load: F,
    ) -> Result<Refreshed<V, E>>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let writer = Writer::of(&self.inner.coherence, C::address(&self.level, key))?;
        let options = options(RefreshOptions::default());
        let ttl = options.ttl_for(interval);
        let (follower, look) = self.follow(key);
        let copy = Arc::clone(&follower);
        let (cache, key, load) = (self.clone(), Arc::new(key.to_owned()), Arc::new(load));
        // One at a time: the later one of two, by hand and by the schedule, has the newer value.
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        let load = Box::new(move |_| -> BoxFuture<'static, _> {
            let (cache, key, load) = (cache.clone(), Arc::clone(&key), Arc::clone(&load));
            let (turn, copy) = (Arc::clone(&turn), Arc::clone(&copy));
            Box::pin(async move {
                let _turn = turn.lock().await;
                let loaded = catch_panic(pin!(async { load().await })).await;
                let value =
                    loaded.map_err(LoadError::Panicked)?.map_err(|error| LoadError::Load(Arc::new(error)))?;
                if !cache.is_writing() {
                    // Inserted, it would take from the others what they have.
                    let since = cache.inner.coherence.since(cache.inner.clock.now_exact());
                    let Stamp { life, extra } = Stamp::unstored(since, &cache.terms());
                    drop(copy.renew(Entry::with_life(value, life, extra)));
                    return Ok(());
                }
                let with_ttl = |entry: InsertOptions| entry.ttl(ttl);
                let key = (*key).borrow();
                cache.insert_with(key, value, with_ttl).await.map_err(LoadError::Store)?;
                if let Some(address) = C::address(&cache.level, key) {
                    // Where it is written later, it is to be there first. What cannot be written is reported.
                    let _ = cache.flush().await;
                    cache.inner.coherence.published(&address);
                }
                Ok(())
            })
        });
        let schedule =
            Refreshed::begin(follower, Work { look, load }, interval, options, Random::unpredictable());
        Ok(schedule.keeping(writer))
    }
}

/// The right to publish a key, which one has in a process.
struct Writer {
    coherence: Coherence,
    address: String,
}

impl Writer {
    fn of(coherence: &Coherence, address: Option<String>) -> Result<Self> {
        let Some(address) = address else {
            let cure = "publish through a cache with a level of Redis, PostgreSQL or another store of bytes";
            return Err(Error::new(ErrorKind::Unsupported, format!("no other process can read it: {cure}")));
        };
        if coherence.add_writer(&address) {
            return Ok(Writer { coherence: coherence.clone(), address });
        }
        let cure = "drop the first one, or read what it holds by `.reader()`";
        Err(Error::new(ErrorKind::DuplicateWriter, format!("`{address}` is published already: {cure}")))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.coherence.remove_writer(&self.address);
    }
}
