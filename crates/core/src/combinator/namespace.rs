//! `.namespace(s)`: a part of a store of bytes for this cache alone.

use crate::holds::Holds;
use crate::policy::Policy;
use crate::{ByteStore, Cache, Key, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Keeps this cache's keys apart from all others in the same store: they are written `namespace:key`.
    ///
    /// Two caches that share a store need two namespaces, unless they hold the same values.
    /// [`clear`](Self::clear) removes the namespace and nothing else. Any text will do; `:` and `%` inside are
    /// escaped. The result is a new cache, with loads and statistics of its own.
    ///
    /// # Default
    ///
    /// `larder`, shared by all caches of the store that were given none.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # use std::sync::Arc;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let connection = Arc::new(Object::in_memory());
    /// let ages = Cache::new(Arc::clone(&connection)).codec(Json).namespace("ages");
    /// let debts = Cache::new(connection).codec(Json).namespace("debts");
    ///
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(debts.get("ada").await?, None::<u32>);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn namespace(self, namespace: &str) -> Self
    where
        K: Key,
        S: ByteStore,
    {
        let policy = Policy::clone(&self.policy);
        Cache::assemble(self.level.with_namespace(namespace), policy, self.seams()).calling(self.call)
    }
}
