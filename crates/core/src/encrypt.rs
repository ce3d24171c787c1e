//! How encoded values become unreadable for whoever can read the store.

use crate::Result;
use bytes::Bytes;
use std::sync::Arc;

/// Authenticated encryption, for [`Cache::encrypted`](crate::Cache::encrypted).
///
/// Most want `larder::EncryptionKeys`; this is for keys that are kept elsewhere and for ciphers that others demand.
///
/// # Contract
///
/// - Authenticated: [`decrypt`](Encrypt::decrypt) fails unless both the bytes and the context are the very ones that
///   [`encrypt`](Encrypt::encrypt) had.
/// - It is given bytes from anyone, and must not panic.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not encrypt",
    note = "use `EncryptionKeys` of the feature `encryption`, or implement `Encrypt`"
)]
pub trait Encrypt: Send + Sync + 'static {
    /// Returns how many bytes it needs in front of what it encrypts: for the number of a key, a nonce.
    fn front_bytes(&self) -> usize;

    /// Encrypts what `out` holds from `start` + [`front_bytes`](Encrypt::front_bytes) on, in place, fills the bytes in
    /// front of it, and may append. What is before `start` stays. `context` is authenticated with it.
    fn encrypt(&self, context: &[u8], out: &mut Vec<u8>, start: usize) -> Result<()>;

    /// Returns what was encrypted, given all that `encrypt` left from `start` on.
    fn decrypt(&self, context: &[u8], sealed: &[u8]) -> Result<Bytes>;
}

macro_rules! behind_pointers {
    ($($pointer:ident)*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<T: ?Sized + Encrypt> Encrypt for $pointer<T> {
            fn front_bytes(&self) -> usize {
                (**self).front_bytes()
            }
            fn encrypt(&self, context: &[u8], out: &mut Vec<u8>, start: usize) -> Result<()> {
                (**self).encrypt(context, out, start)
            }
            fn decrypt(&self, context: &[u8], sealed: &[u8]) -> Result<Bytes> {
                (**self).decrypt(context, sealed)
            }
        }
    )*};
}
behind_pointers!(Arc Box);
