//! `.compressed(c)`: values travel in fewer bytes.

use crate::holds::Holds;
use crate::{ByteStore, Cache, Compress, Format, Key, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Compresses encoded values. `.zstd(3)`, `.lz4()` and `.gzip(6)` of the features with these names are short for it.
    ///
    /// Said about the level, before [`chain`](Self::chain). The last word counts: there is one compression a level, and it
    /// always comes before encryption. The result is a new cache, with loads and statistics of its own.
    ///
    /// - Values below the method's [`min_bytes`](Compress::min_bytes), and those that would not become smaller, are stored
    ///   as they are.
    /// - Values that were stored before are read, compressed or not: each of larder's methods reads the others', as
    ///   far as their features are enabled. A cache without any does not, and treats compressed values as misses; one that
    ///   is to write plain values and still read them takes a method whose `min_bytes` is [`usize::MAX`].
    /// - It is done where the cache is called, not on a thread of its own: a megabyte at a high level holds other tasks up.
    /// - What is stored says how large it is when decompressed. More than
    ///   [`max_value_bytes`](Self::max_value_bytes) is not decompressed, and no more than it says is made of it.
    ///
    /// # Default
    ///
    /// No compression.
    ///
    /// # Panics
    ///
    /// If the method's number is not 1 to 15.
    #[track_caller]
    pub fn compressed(self, compression: impl Compress) -> Self
    where
        K: Key,
        S: ByteStore,
        C: Format,
    {
        self.travelling(|wire| wire.compressed(compression))
    }
}
