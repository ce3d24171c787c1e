//! `.encrypted(keys)`: the store cannot read values, nor change or swap them.

use crate::holds::Holds;
use crate::{ByteStore, Cache, Encrypt, Format, Key, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Encrypts encoded values, with `larder::EncryptionKeys` of the feature `encryption`.
    ///
    /// Said about the level, before [`chain`](Self::chain). The result is a new cache, with loads and statistics of its
    /// own. Who can read and write the store, but has no key,
    ///
    /// - cannot read values. Keys, tags, entity tags, times and sizes are not encrypted, and with
    ///   [`compression`](Self::compressed) a size tells something about the content.
    /// - cannot change a value, prolong its life, or put it under another key or namespace: all of these are
    ///   authenticated with it.
    /// - can remove values, and put back older ones that lay under the same key, until these end; also from another store
    ///   with the same keys and namespace, say that of a test system. Give each its own keys, or at least its own
    ///   [`namespace`](Self::namespace).
    ///
    /// The last word counts: there is one encryption a level, and it always comes after compression.
    ///
    /// What is not encrypted, or with a key that is not known here, is a miss and an event, also what was stored before
    /// encryption was switched on.
    ///
    /// # Default
    ///
    /// No encryption.
    pub fn encrypted(self, encryption: impl Encrypt) -> Self
    where
        K: Key,
        S: ByteStore,
        C: Format,
    {
        self.travelling(|wire| wire.encrypted(encryption))
    }
}
