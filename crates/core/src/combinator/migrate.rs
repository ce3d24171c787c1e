//! `.migrate(f)`: values of an older schema are brought up to date.

use crate::holds::Holds;
use crate::{ByteStore, Cache, Codec, Key, Lookup, Migrate, Result};
use bytes::Bytes;
use std::sync::Arc;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Makes values of bytes that were stored under an older [`version`](Self::version).
    ///
    /// `migrate` is given the version and the encoded value, as the codec that is there wrote it: decompressed and
    /// decrypted. What it does not return is a miss and an event, as are newer versions, which it is not asked about.
    /// It runs whenever such a value is read, and its result is not written back: in time all of them are
    /// overwritten or expire. (Only [`expire`](Self::expire) writes, where it keeps a value for failures.) The last word
    /// counts: one function knows all older versions. Said about the level, after [`codec`](Self::codec) and before [`chain`](Self::chain). The
    /// result is a new cache, with loads and statistics of its own.
    ///
    /// # Default
    ///
    /// Other versions are misses.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use larder::{Codec, Error, ErrorKind};
    /// # use std::sync::Arc;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let store = Arc::new(Object::in_memory());
    /// # Cache::new(Arc::clone(&store)).codec(Json).insert("eiger", 3_967).await?;
    /// // Version 0 was in metres.
    /// let feet = Cache::new(store).codec(Json).version(1).migrate(|version, bytes| match version {
    ///     0 => Json.decode(bytes).map(|metres: f64| metres / 0.3048),
    ///     _ => Err(Error::new(ErrorKind::Codec, "never released")),
    /// });
    /// assert_eq!(feet.get("eiger").await?.unwrap().round(), 13_015.0);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn migrate<F>(self, migrate: F) -> Cache<K, V, S, Migrate<C, F>>
    where
        K: Key,
        S: ByteStore,
        C: Codec<V>,
        F: Fn(u32, &Bytes) -> Result<V> + Send + Sync + 'static,
    {
        self.recoded(|codec| Migrate { codec: Arc::clone(codec), migrate })
    }
}
