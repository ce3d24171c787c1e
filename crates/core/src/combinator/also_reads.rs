//! `.also_reads(c)`: another codec without a flush.

use crate::holds::Holds;
use crate::{AlsoReads, ByteStore, Cache, Codec, Key, Lookup};
use std::sync::Arc;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Reads also what `former` wrote, and goes on writing with the codec that is there.
    ///
    /// So a codec can be changed while the store is full of the other's values: each stored value says who wrote
    /// it. May be said several times. Said about the level, after [`codec`](Self::codec) and before
    /// [`chain`](Self::chain). The result is a new cache, with loads and statistics of its own.
    ///
    /// What the former one wrote in another [`version`](Self::version) is a miss: change the one or the other in a deploy.
    ///
    /// The [`ID`](crate::Format::ID) tells the bytes apart. A former codec with that of the one that writes does not compile;
    /// of two former ones with the same, the one that was said last reads.
    ///
    /// ```compile_fail,E0080
    /// # use larder::prelude::*;
    /// # fn ages() -> Cache<str, u32, impl larder::ByteStore, Json> { Cache::new(Object::in_memory()).codec(Json) }
    /// let both = ages().also_reads(Json);
    /// ```
    ///
    /// # Default
    ///
    /// What another codec wrote is a miss and an event.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # use std::sync::Arc;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Arc::new(Object::in_memory());
    /// Cache::new(Arc::clone(&store)).codec(Json).insert("ada", 36).await?;
    ///
    /// let ages = Cache::new(store).codec(larder::MessagePack).also_reads(Json);
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn also_reads<D>(self, former: D) -> Cache<K, V, S, AlsoReads<C, D>>
    where
        K: Key,
        S: ByteStore,
        C: Codec<V>,
        D: Codec<V>,
    {
        const {
            assert!(
                C::ID != D::ID,
                "`.also_reads` is for a codec with another ID than the one that is there"
            );
        };
        self.recoded(|codec| AlsoReads { codec: Arc::clone(codec), former })
    }
}
