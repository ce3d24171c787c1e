//! `.max_value_bytes(n)`: larger values do not travel.

use crate::codec::Format;
use crate::holds::Holds;
use crate::{ByteStore, Cache, Key, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Neither writes nor reads more than `bytes` a value at this level, header and key included; of a value that is
    /// compressed, what it is made of and made into counts as well.
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
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pages = Cache::new(Object::in_memory()).max_value_bytes(1_000);
    /// let error = pages.insert("/", vec![0; 2_000].into()).await.unwrap_err();
    /// assert_eq!(error.kind(), larder::ErrorKind::TooLarge);
    /// # });
    /// ```
    pub fn max_value_bytes(self, bytes: usize) -> Self
    where
        K: Key,
        S: ByteStore,
        C: Format,
    {
        self.travelling(|wire| wire.max_value_bytes(bytes))
    }
}
