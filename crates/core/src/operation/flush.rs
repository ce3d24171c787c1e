//! Waiting for what is queued: [`flush`](Cache::flush).

use crate::holds::{Drain, Holds};
use crate::{Cache, Lookup, Result};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Has what is queued written now, and returns when all that was queued before the call is written or given up.
    ///
    /// It concerns levels with [`write(Behind)`](Cache::write); in others there is nothing to wait for. Writes that
    /// fail are tried again with their delays, and waited for. Loads that are under way are not.
    ///
    /// While a level's breaker is open, this waits until it lets writes through again, or their lives end.
    ///
    /// # Errors
    ///
    /// The first error of a level: that it gave up writes since this was last told to a `flush` or a
    /// [`shutdown`](Cache::shutdown), and how many. Its source is what went wrong the last time.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the writes go on. (Without a runtime they are done in this future, and what is not yet
    /// written stays in the queue.)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use larder::Behind;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let ages = Cache::new(Object::in_memory()).codec(Json).write(Behind::default().every(hours(1)));
    /// ages.insert("ada", 36_u32).await?;
    /// ages.flush().await?; // an hour early
    /// assert_eq!(ages.stats().levels[0].writes, 1);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn flush(&self) -> Result<()> {
        Box::pin(C::drain(&self.level, self.cx(), Drain::Flush)).await
    }
}
