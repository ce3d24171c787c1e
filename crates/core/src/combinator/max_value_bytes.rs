//! `.max_value_bytes(n)`: larger values do not travel.

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
    /// Neither writes nor reads more than `bytes` a value at this level, header and key included.
    ///
    /// A larger value is an event and an error of [`insert`](Self::insert), and what was stored under the key is
    /// removed; a load returns its value all the same. Larger bytes that are found are a miss and an event. The
    /// result is a new cache, with loads and statistics of its own.
    ///
    /// # Default
    ///
    /// 64 MiB
    ///
    /// # Examples
    ///
    /// ```
    /// # use larder_core as larder;
    /// # mod doc { include!("../../tests/support/bytes.rs"); }
    /// # use doc::ByteMap;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pages = larder::Cache::new(ByteMap::default()).max_value_bytes(1_000);
    /// let error = pages.insert("/", vec![0; 2_000].into()).await.unwrap_err();
    /// assert_eq!(error.kind(), larder::ErrorKind::TooLarge);
    /// # });
    /// ```
    pub fn max_value_bytes(self, bytes: usize) -> Self {
        let policy = Policy::clone(&self.policy);
        Cache::assemble(self.level.with_max_value_bytes(bytes), policy, Arc::clone(&self.inner.clock))
    }
}
