//! Asking whether a key is there: [`contains`](Cache::contains).

use crate::fly::Waited;
use crate::holds::{Holds, Look};
use crate::{Cache, Lookup, Result};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns whether some level has a value under `key`, fresh or stale.
    ///
    /// Counts no hit and no miss, and copies nothing upwards. Where a level is a store of bytes, the value is read and
    /// decoded, so that the answer is what [`get`](Self::get) would find.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    /// assert!(ages.contains("ada").await?);
    /// assert!(!ages.contains("bob").await?);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn contains(&self, key: &K) -> Result<bool> {
        match self.look(key, self.inner.clock.now()) {
            Look::Hit(_) => Ok(true),
            Look::Ask(_, Some(kept)) if self.allows(&kept) => Ok(true),
            Look::Ask(from, _) if from == C::depth(&self.level) => Ok(false),
            Look::Ask(from, _) => {
                let (found, failure) =
                    Box::pin(self.fetch(key, from, Waited::Not, self.floor(false), self.cx())).await;
                let hit = found.is_some_and(|found| self.answers(&found, self.floor(false)));
                if hit { Ok(true) } else { self.verdict(failure).map(|()| false) }
            }
        }
    }
}
