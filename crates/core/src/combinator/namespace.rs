//! `.namespace(s)`: a part of a store of bytes for this cache alone.

use crate::codec::{Codec, Format};
use crate::policy::Policy;
use crate::{ByteStore, Cache, Key};
use std::sync::Arc;

impl<K, V, B, C> Cache<K, V, B, C>
where
    K: ?Sized + Key,
    V: Clone + Send + Sync + 'static,
    B: ByteStore,
    C: Codec<V> + Format,
{
    /// Keeps this cache's keys apart from all others in the same store: they are written `namespace:key`.
    ///
    /// Two caches that share a store need two namespaces, unless they hold the same values.
    /// [`clear`](Self::clear) removes the namespace and nothing else. Any text will do; `:` and `%` inside are
    /// escaped. The result is a new cache, with loads and statistics of its own.
    ///
    /// # Default
    ///
    /// `larder`
    ///
    /// # Examples
    ///
    /// ```
    /// # use larder_core as larder;
    /// # mod doc { include!("../../tests/support/bytes.rs"); }
    /// # use doc::{ByteMap, Decimal};
    /// # use std::sync::Arc;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let connection = Arc::new(ByteMap::default());
    /// let ages = larder::Cache::new(Arc::clone(&connection)).codec(Decimal).namespace("ages");
    /// let debts = larder::Cache::new(connection).codec(Decimal).namespace("debts");
    ///
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(debts.get("ada").await?, None);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn namespace(self, namespace: &str) -> Self {
        let policy = Policy::clone(&self.policy);
        Cache::assemble(self.level.with_namespace(namespace), policy, Arc::clone(&self.inner.clock))
    }
}
