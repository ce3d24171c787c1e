//! How values become bytes, and the two markers for levels that need no bytes.

mod also_reads;
mod migrate;
mod shared;

pub use also_reads::AlsoReads;
pub use migrate::Migrate;
pub use shared::Shared;

use crate::holds::short_name;
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;

/// A wire format, whatever it encodes. Its number travels with every value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a codec",
    note = "a level that keeps bytes has one, such as `Json`; memory, a chain of levels and a boxed cache have none"
)]
pub trait Format: Send + Sync + 'static {
    /// The number of this format in stored bytes. 0 to 63 belong to larder, 64 to 255 are free for others. It
    /// must not change once values are stored: bytes with another number are not decoded.
    const ID: u8;

    /// Returns the name of this format, for people. The default is the type's.
    fn name() -> &'static str {
        short_name::<Self>()
    }
}

/// Encodes and decodes values of one type.
///
/// # Contract
///
/// [`decode`](Codec::decode) is given bytes that passed a checksum but may come from anyone: it must not panic,
/// run code, or allocate more than a multiple of what it is given.
///
/// # Examples
///
/// A codec in ten lines:
///
/// ```
/// use larder_core::{Codec, Error, ErrorKind, Format, Result};
/// use bytes::{BufMut, Bytes};
///
/// struct BigEndian;
///
/// impl Format for BigEndian {
///     const ID: u8 = 64;
/// }
///
/// impl Codec<u64> for BigEndian {
///     fn encode(&self, value: &u64, out: &mut Vec<u8>) -> Result<()> {
///         out.put_u64(*value);
///         Ok(())
///     }
///     fn decode(&self, bytes: &Bytes) -> Result<u64> {
///         let bytes = bytes[..].try_into().map_err(|_| Error::new(ErrorKind::Codec, "not 8 bytes"))?;
///         Ok(u64::from_be_bytes(bytes))
///     }
/// }
///
/// let mut out = Vec::new();
/// BigEndian.encode(&1815, &mut out).unwrap();
/// assert_eq!(BigEndian.decode(&out.into()).unwrap(), 1815);
/// assert!(BigEndian.decode(&Bytes::from("short")).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not encode `{V}`",
    note = "derive `serde::Serialize` and `serde::Deserialize` on the value, or implement `Codec<{V}>` for the codec"
)]
pub trait Codec<V>: Format {
    /// Appends the encoded `value` to `out`, and touches nothing of what is there already.
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()>;

    /// Returns the value that `bytes`, all of them, stand for.
    fn decode(&self, bytes: &Bytes) -> Result<V>;

    /// Returns the value of bytes that the format with the number `format` wrote, in the same version of the schema.
    ///
    /// The default decodes its own and refuses all others, as nearly every codec should.
    fn decode_format(&self, format: u8, bytes: &Bytes) -> Result<V> {
        if format == Self::ID {
            return self.decode(bytes);
        }
        let message = format!("the value was written with codec {format}, this cache has codec {}", Self::ID);
        Err(Error::new(ErrorKind::Codec, message + "; `.also_reads(codec)` reads both"))
    }

    /// Returns the value of bytes that the format with the number `format` wrote when the schema had an older
    /// [`version`](crate::Cache::version).
    ///
    /// The default refuses them; [`Cache::migrate`](crate::Cache::migrate) says otherwise.
    fn decode_older(&self, version: u32, format: u8, bytes: &Bytes) -> Result<V> {
        let _ = (format, bytes);
        let message = format!("the value has version {version} of its schema, which is no more");
        Err(Error::new(ErrorKind::Codec, message + "; `.migrate(..)` could read it"))
    }
}

/// Keeps [`Bytes`] as they are; what a byte store has until [`Cache::codec`](crate::Cache::codec) is called.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl Format for Raw {
    const ID: u8 = 0;
}

impl Codec<Bytes> for Raw {
    fn encode(&self, value: &Bytes, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(value);
        Ok(())
    }

    fn decode(&self, bytes: &Bytes) -> Result<Bytes> {
        Ok(bytes.clone())
    }
}

/// Stands where a codec would for a level in memory: values are kept as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

/// Stands where a codec would for a chain or a boxed cache: each level has its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct PerLevel;
