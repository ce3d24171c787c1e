//! `users.with(|o| ..)`: the same cache, for calls that want something else.

use crate::{Cache, CallOptions, Lookup};
use std::sync::Arc;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Returns a handle of this cache whose calls ask for what `options` says.
    ///
    /// It shares everything with this one: levels, loads, statistics. What an earlier `with` said stays said. A call that
    /// joins a load which another caller began gets what that one asked for. To make one takes an allocation; keep it where it is used often.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(hours(1));
    /// ages.insert("ada", 35).await?;
    ///
    /// let now = ages.with(|call| call.force_refresh().ttl(secs(5))).get_or_insert_with("ada", async || 36).await;
    /// assert_eq!(now, 36);
    /// assert!(ages.lookup("ada").await?.unwrap().ttl_left() <= Some(secs(5)));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn with(&self, options: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        let said = self.call.as_deref().cloned().unwrap_or_default();
        Cache { call: Some(Arc::new(options(said))), ..self.clone() }
    }
}
