//! CBOR.

use crate::bounded::{Bounds, MAX_DEPTH};
use crate::withheld::{self, TOO_DEEP};
use bytes::Bytes;
use ciborium::de::{self, from_reader_with_recursion_limit};
use ciborium::ser::{self, into_writer};
use larder_core::{Codec, Error, ErrorKind, Format, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// Encodes values as [CBOR](https://cbor.io) (RFC 8949), the binary format that standards build on.
///
/// For bytes that other languages write or read; between Rust programs [`MessagePack`](crate::MessagePack) is
/// smaller work. Structs are maps from the names of their fields, so fields may come and go as with
/// [`Json`](crate::Json). Floating-point numbers are written in the shortest form that is exact, read in any, and
/// come back exactly, `NaN` and the infinities too. Maps may have any keys.
///
/// Tags around a value are passed over. A `Vec<u8>` is written as an array of numbers and also read from a run
/// of bytes, which the crate `serde_bytes` writes.
///
/// # Errors
///
/// [`ErrorKind::Codec`], without the value:
/// - encoding: a value whose own `Serialize` fails
/// - decoding: no CBOR, or not of this type; nested deeper than 128 levels; a declared length beyond the end;
///   bytes after the value
///
/// # Examples
///
/// ```
/// use larder_codecs::Cbor;
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
/// Cbor.encode(&User { name: "ada".into(), admin: true }, &mut out)?;
/// assert_eq!(&out[..], b"\xa2\x64name\x63ada\x65admin\xf5");
///
/// // Written before the field `admin` was there.
/// let older: User = Cbor.decode(&Bytes::from_static(b"\xa1\x64name\x63ada"))?;
/// assert_eq!(older, User { name: "ada".into(), admin: false });
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Cbor;

impl Format for Cbor {
    const ID: u8 = 6;
}

impl<V: Serialize + DeserializeOwned> Codec<V> for Cbor {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        into_writer(value, &mut *out).map_err(|error| not_written(&error))
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        let mut rest = &bytes[..];
        let value = from_reader_with_recursion_limit(&mut rest, MAX_DEPTH).map_err(|error| not_read(&error));
        let Guarded(value) = value?;
        if rest.is_empty() {
            Ok(value)
        } else {
            Err(Error::new(ErrorKind::Codec, "there are bytes after the value"))
        }
    }
}

/// A value that is read within bounds. (The reader of `ciborium` cannot be named, so it is wrapped from within.)
struct Guarded<V>(V);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Guarded<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        V::deserialize(Bounds::of_unknown().around(deserializer)).map(Guarded)
    }
}

fn not_written<E>(error: &ser::Error<E>) -> Error {
    let text = match error {
        ser::Error::Io(_) => "the value cannot be written",
        ser::Error::Value(text) => withheld::unless_safe(text),
    };
    Error::new(ErrorKind::Codec, text)
}

fn not_read<E>(error: &de::Error<E>) -> Error {
    let text = match error {
        de::Error::Io(_) => "the bytes end within the value",
        de::Error::Syntax(_) => "the bytes are not CBOR",
        de::Error::Semantic(_, text) => withheld::unless_safe(text),
        de::Error::RecursionLimitExceeded => TOO_DEEP,
    };
    Error::new(ErrorKind::Codec, text)
}
