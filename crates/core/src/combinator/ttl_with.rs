//! `.ttl_with(|k, v| d)`: as [`ttl`](super::ttl), computed for each entry.

use crate::life::Ttl;
use crate::{Cache, Lookup};
use std::sync::Arc;
use std::time::Duration;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Lets each entry be fresh for what `compute` returns, counted from when its load began.
    ///
    /// Called once a level that is written, with the key and the value. Zero stores nothing, and removes what was
    /// there. The last of [`ttl`](Self::ttl) and [`ttl_with`](Self::ttl_with) counts.
    ///
    /// # Ordering
    ///
    /// As for [`ttl`](Self::ttl). After [`codec`](Self::codec), which changes the type of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pages = Cache::new(Memory::<str, String>::new(1_000))
    ///     .ttl_with(|path, _| secs(if path.starts_with("/news") { 5 } else { 3600 }));
    ///
    /// pages.insert("/news/today", "..".into()).await?;
    /// let left = pages.lookup("/news/today").await?.unwrap().ttl_left();
    /// assert!(left <= Some(secs(5)));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn ttl_with<F>(self, compute: F) -> Self
    where
        F: Fn(&K, &V) -> Duration + Send + Sync + 'static,
    {
        self.decide(|policy| policy.whole.ttl = Some(Ttl::With(Arc::new(compute))))
    }
}
