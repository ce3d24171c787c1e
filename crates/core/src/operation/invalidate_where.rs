//! Invalidating by a look at each entry: [`invalidate_where`](Cache::invalidate_where).

use super::clear::OvertakingAll;
use crate::holds::Holds;
use crate::spawn::in_turn;
use crate::{Cache, Lookup, Result};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Removes the entries that `condemned` says yes to from this cache, which is one of memory, and returns how many there
    /// were.
    ///
    /// Once this has returned, no value that was there when it was called and is condemned is served, and none whose load or
    /// read began before: as it is not known what those give, none of them is stored. Entries come in any order, old ones and
    /// kept ones too, and one may be asked about twice; no lock is held meanwhile.
    ///
    /// It looks at every entry, without a pause: the more there are, the longer that takes. Where you can say beforehand what goes
    /// together, a [tag](Self::tags) costs nothing of that, and reaches levels that are no memory, and other processes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where a level is no memory: it would bring back what was
    /// removed in front of it. What only the memory is to forget is said by
    /// [`skip_level`](crate::CallOptions::skip_level).
    ///
    /// # Panics
    ///
    /// If `condemned` does; what was removed until then is removed.
    ///
    /// # Cancel safety
    ///
    /// As of [`clear`](Self::clear).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    /// ages.insert("bob", 12).await?;
    ///
    /// assert_eq!(ages.invalidate_where(|_name, age| *age < 18).await?, 1);
    /// assert_eq!(ages.get("bob").await?, None);
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn invalidate_where(
        &self,
        condemned: impl Fn(&K, &V) -> bool + Send + Sync + 'static,
    ) -> Result<u64> {
        let cache = self.clone();
        let remove = async move |alone| {
            // The guard is dropped first: who comes next begins after all who were overtaken.
            let _alone = alone;
            let _overtaking = OvertakingAll(&cache.inner);
            C::remove_where(&cache.level, cache.cx(), &condemned)
        };
        Box::pin(in_turn(self.inner.flights.close_gate(), remove)).await
    }
}
