//! MessagePack.

use crate::bounded::Bounds;
use crate::withheld::{self, TOO_DEEP};
use bytes::Bytes;
use larder_core::{Codec, Error, ErrorKind, Format, Result};
use rmp_serde::{Deserializer, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Encodes values as [MessagePack](https://msgpack.org), smaller and faster than JSON.
///
/// Structs are maps from the names of their fields, so fields may come and go as with [`Json`](crate::Json).
/// Floating-point numbers come back exactly, `NaN` and the infinities too, and maps may have any keys.
///
/// A `Vec<u8>` is written as an array of numbers; the crate `serde_bytes` makes it one run of bytes.
///
/// # Errors
///
/// [`ErrorKind::Codec`], without the value:
/// - encoding: a value whose own `Serialize` fails
/// - decoding: no MessagePack, or not of this type; nested deeper than 128 levels; a declared length beyond
///   the end; bytes after the value
///
/// # Examples
///
/// ```
/// use larder_codecs::MessagePack;
/// use larder_core::Codec;
/// use bytes::Bytes;
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct User {
///     name: String,
///     #[serde(default)]
///     admin: bool,
/// }
///
/// let mut out = Vec::new();
/// MessagePack.encode(&User { name: "ada".into(), admin: true }, &mut out)?;
/// assert_eq!(&out[..], b"\x82\xa4name\xa3ada\xa5admin\xc3");
///
/// // Written before the field `admin` was there.
/// let older: User = MessagePack.decode(&Bytes::from_static(b"\x81\xa4name\xa3ada"))?;
/// assert_eq!(older, User { name: "ada".into(), admin: false });
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MessagePack;

impl Format for MessagePack {
    const ID: u8 = 2;
}

impl<V: Serialize + DeserializeOwned> Codec<V> for MessagePack {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        encode::write_named(out, value).map_err(|error| not_written(&error))
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        read(bytes)
    }
}

/// Reads structs with and without the names of their fields.
pub(crate) fn read<V: DeserializeOwned>(bytes: &[u8]) -> Result<V> {
    let bounds = Bounds::of(bytes);
    let mut reader = Deserializer::from_read_ref(bytes);
    let value = V::deserialize(bounds.around(&mut reader)).map_err(|error| not_read(&error))?;
    // The reader does not tell its position. At the end, and only there, no marker can be read.
    match bool::deserialize(&mut reader) {
        Err(decode::Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(Error::new(ErrorKind::Codec, "there are bytes after the value")),
    }
}

pub(crate) fn not_written(error: &encode::Error) -> Error {
    let text = match error {
        encode::Error::InvalidValueWrite(_) => "the value cannot be written",
        encode::Error::UnknownLength => "a sequence does not know its length",
        encode::Error::InvalidDataModel(text) => text,
        encode::Error::DepthLimitExceeded => TOO_DEEP,
        encode::Error::Syntax(text) => withheld::unless_safe(text),
    };
    Error::new(ErrorKind::Codec, text)
}

fn not_read(error: &decode::Error) -> Error {
    use decode::Error as Is;
    let text = match error {
        Is::InvalidMarkerRead(_) | Is::InvalidDataRead(_) => "the bytes end within the value",
        // A marker may hold a small number, which is the value.
        Is::TypeMismatch(_) | Is::OutOfRange => "a part of the value is of another type",
        Is::LengthMismatch(_) => "an array or map is of another length",
        Is::Utf8Error(_) => "a text is not UTF-8",
        Is::DepthLimitExceeded => TOO_DEEP,
        Is::Uncategorized(text) | Is::Syntax(text) => withheld::unless_safe(text),
    };
    Error::new(ErrorKind::Codec, text)
}
