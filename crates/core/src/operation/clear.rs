//! Removing everything: [`clear`](Cache::clear).

use crate::holds::Holds;
use crate::inner::Inner;
use crate::shared_log::Name;
use crate::spawn::in_turn;
use crate::{Cache, Lookup, Result};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Removes every entry of this cache from every level.
    ///
    /// In a store of bytes that is its own namespace and nothing else; a store of values is emptied, also for other
    /// caches that share it through an `Arc`. Once this has returned, no value whose load or read began before the
    /// call is stored or served by this cache, its clones and its boxed form; nor by other processes, where a store keeps a
    /// log of invalidations, as with [`remove`](Self::remove).
    ///
    /// # Errors
    ///
    /// The first error of a level; that level may still hold values. All levels are tried.
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) comes from a store that cannot do this.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while writes are under way that it waits for, nothing is cleared; once it has begun
    /// it goes on to the end. (Without a runtime that, too, stops with the future. On a current-thread runtime
    /// that nobody drives any more it stands still, and with it who comes after.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    /// ages.clear().await?;
    /// assert_eq!(ages.get("ada").await?, None);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn clear(&self) -> Result<()> {
        let cache = self.clone();
        let clear = async move |alone| {
            // The guard is dropped first. It is also for those who came meanwhile and read a level that was not cleared
            // yet.
            let _alone = alone;
            let _overtaking = OvertakingAll(&cache.inner);
            let cleared = C::clear(&cache.level, cache.cx()).await;
            cache.number_namespace().await.and(cleared)
        };
        Box::pin(in_turn(self.inner.flights.close_gate(), clear)).await
    }
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Tells other processes of a namespace, where no level does.
    async fn number_namespace(&self) -> Result<()> {
        if self.inner.coherence.shared().is_none() || self.numbers_itself() {
            return Ok(());
        }
        let mut levels = Vec::new();
        C::describe(&self.level, &mut levels);
        let namespace = levels.into_iter().find_map(|level| level.namespace);
        let names = namespace.map(|namespace| Name::namespace(&format!("{namespace}:")));
        self.inner.coherence.invalidate(names.into_iter().collect(), self.inner.clock.now()).await
    }
}

/// Begins a new era of every key when dropped, however that comes.
pub(super) struct OvertakingAll<'a, K: ?Sized + Lookup, V: Clone + Send + Sync + 'static>(
    pub(super) &'a Inner<K, V>,
);

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Drop for OvertakingAll<'_, K, V> {
    fn drop(&mut self) {
        self.0.flights.overtake_all();
        self.0.failures.forget_all();
    }
}
