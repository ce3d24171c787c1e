//! The end of work in the background: [`shutdown`](Cache::shutdown).

use crate::holds::{Drain, Holds};
use crate::{Cache, Lookup, Result};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Writes all that is queued, and ends the queues: a write that comes later goes through to its store.
    ///
    /// It concerns levels with [`write(Behind)`](Cache::write), for every handle of them. The cache can be used
    /// afterwards, and shut down again. Reads that see what is queued do so until it is written.
    ///
    /// # Errors
    ///
    /// As for [`flush`](Cache::flush). It waits for no store for ever: what a level's open breaker refuses counts as a try.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the queues are ended, and what is in them is written all the same. (Without a runtime
    /// it is written in this future, and what is not yet written stays in the queue for the next call.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use larder::Behind;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let ages = Cache::new(Object::in_memory()).codec(Json).write(Behind::default());
    /// ages.insert("ada", 36_u32).await?;
    /// ages.shutdown().await?;
    ///
    /// ages.insert("ada", 37).await?; // written when this returns
    /// assert_eq!(ages.stats().levels[0].writes, 2);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn shutdown(&self) -> Result<()> {
        Box::pin(C::drain(&self.level, self.cx(), Drain::Shutdown)).await
    }
}
