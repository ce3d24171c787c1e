//! `.version(n)`: which schema the stored values have.

use crate::holds::Holds;
use crate::{ByteStore, Cache, Format, Key, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Marks values with this version of their schema, and reads no others.
    ///
    /// Count it up when the type changes in a way that the codec does not bridge: a field of another meaning or type, or
    /// any change at all with a codec that names no fields. What was stored in other versions is a miss and an event, and
    /// the load that follows overwrites it; [`migrate`](Self::migrate) makes use of older ones instead. Said about the
    /// level, before [`chain`](Self::chain). The result is a new cache, with loads and statistics of its own.
    ///
    /// While two releases run side by side, each treats what the other one wrote as a miss. Where that costs too
    /// much, give the new release another [`namespace`](Self::namespace).
    ///
    /// # Default
    ///
    /// 0
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # use std::sync::Arc;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Arc::new(Object::in_memory());
    /// let metres = Cache::new(Arc::clone(&store)).codec(Json);
    /// metres.insert("eiger", 3_967).await?;
    ///
    /// let feet = Cache::new(store).codec(Json).version(1);
    /// assert_eq!(feet.get("eiger").await?, None::<u32>);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn version(self, version: u32) -> Self
    where
        K: Key,
        S: ByteStore,
        C: Format,
    {
        self.travelling(|wire| wire.version(version))
    }
}
