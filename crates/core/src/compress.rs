//! How encoded values become smaller.

use crate::Result;
use bytes::Bytes;
use std::sync::Arc;

/// A method of compression, for [`Cache::compressed`](crate::Cache::compressed).
///
/// # Contract
///
/// [`decompress`](Compress::decompress) is given bytes that passed a checksum but may come from anyone: it must not
/// panic, and not make more than `raw_bytes` of them.
///
/// # Examples
///
/// Runs of one byte as that byte and how many there are of it:
///
/// ```
/// use larder_core::{Clock, Compress, Entry, Error, ErrorKind, Raw, Result, SystemClock, Wire};
/// use bytes::{BufMut, Bytes};
///
/// struct Runs;
///
/// impl Compress for Runs {
///     fn method(&self) -> u8 {
///         8
///     }
///     fn name(&self) -> &'static str {
///         "runs"
///     }
///     fn compress(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
///         for run in raw.chunk_by(|one, next| one == next).flat_map(|run| run.chunks(255)) {
///             out.put_slice(&[run[0], u8::try_from(run.len()).unwrap_or(255)]);
///         }
///         Ok(())
///     }
///     fn decompress(&self, method: u8, bytes: &[u8], raw_bytes: usize) -> Result<Bytes> {
///         let lengths = bytes.chunks(2).map(|run| usize::from(*run.last().unwrap_or(&0)));
///         if method != 8 || bytes.len() % 2 == 1 || lengths.sum::<usize>() != raw_bytes {
///             return Err(Error::new(ErrorKind::Corrupt, "not compressed like this"));
///         }
///         Ok(bytes.chunks(2).flat_map(|run| vec![run[0]; usize::from(run[1])]).collect())
///     }
/// }
///
/// let (wire, clock) = (Wire::new(Raw).compressed(Runs), SystemClock);
/// let long = Entry::new(Bytes::from(vec![b'a'; 10_000]), clock.now());
/// let bytes = wire.seal("users:ada", &long, &clock)?;
/// assert!(bytes.len() < 200);
/// assert_eq!(wire.open("users:ada", &bytes, &clock)?.value(), long.value());
/// # Result::Ok(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a method of compression",
    note = "use `.zstd(3)`, `.lz4()` or `.gzip(6)`, or implement `Compress`"
)]
pub trait Compress: Send + Sync + 'static {
    /// Returns the number of the method in stored bytes: 1 to 7 belong to larder, 8 to 15 are free for others. It must
    /// not change once values are stored.
    fn method(&self) -> u8;

    /// Returns the method's name, for people.
    fn name(&self) -> &'static str;

    /// Returns the size below which values are stored as they are. The default is 1,024 bytes.
    fn min_bytes(&self) -> usize {
        1024
    }

    /// Appends what `raw` is compressed to, and touches nothing of what is there already.
    fn compress(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// Returns what was compressed by the method with this number, which may be another one than its own. It had
    /// `raw_bytes` bytes, or so the stored bytes say: a result of another length is refused by who called.
    fn decompress(&self, method: u8, compressed: &[u8], raw_bytes: usize) -> Result<Bytes>;
}

macro_rules! behind_pointers {
    ($($pointer:ident)*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<T: ?Sized + Compress> Compress for $pointer<T> {
            fn method(&self) -> u8 {
                (**self).method()
            }
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn min_bytes(&self) -> usize {
                (**self).min_bytes()
            }
            fn compress(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
                (**self).compress(raw, out)
            }
            fn decompress(&self, method: u8, compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
                (**self).decompress(method, compressed, raw_bytes)
            }
        }
    )*};
}
behind_pointers!(Arc Box);
