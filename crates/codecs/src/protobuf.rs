//! Protocol Buffers.

use bytes::Bytes;
use larder_core::{Codec, Error, ErrorKind, Format, Result};
use prost::{DecodeError, Message};

/// Encodes messages as [Protocol Buffers](https://protobuf.dev), by the crate `prost` 0.14.
///
/// Takes the types that `prost-build` makes of a `.proto` file and those with `#[derive(prost::Message)]`. Fields
/// have numbers, so they may come and go: one that is not there reads as its default, and one that is not known is
/// skipped. A number must not be given to another field.
///
/// Fields of the type [`Bytes`] (`bytes = "bytes"` in the derive, `Config::bytes` in `prost-build`) are copied: to let
/// them share the memory of what was stored makes all other fields slower to read, by a tenth to a sixth, and keeps
/// all of it for as long as one of them lives.
///
/// Not promised: that bytes of another message are an error. Nearly every message can be read as any other, with
/// what fits and the defaults; give a type that is no longer the same another
/// [`version`](larder_core::Cache::version) or namespace. An empty value is the message of all defaults.
///
/// # Errors
///
/// [`ErrorKind::Codec`], without the value:
/// - decoding: no Protocol Buffers, or a field of another type; messages, or groups that are skipped, nested deeper
///   than 100 levels; a declared length beyond the end
///
/// # Examples
///
/// ```
/// use larder_codecs::Protobuf;
/// use larder_core::Codec;
/// use bytes::Bytes;
///
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct User {
///     #[prost(string, tag = "1")]
///     name: String,
///     #[prost(bool, tag = "2")]
///     admin: bool,
/// }
///
/// let mut out = Vec::new();
/// Protobuf.encode(&User { name: "ada".into(), admin: true }, &mut out)?;
/// assert_eq!(&out[..], b"\x0a\x03ada\x10\x01");
///
/// // Written before the field `admin` was there.
/// let older: User = Protobuf.decode(&Bytes::from_static(b"\x0a\x03ada"))?;
/// assert_eq!(older, User { name: "ada".into(), admin: false });
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Protobuf;

impl Format for Protobuf {
    const ID: u8 = 5;
}

impl<V: Message + Default> Codec<V> for Protobuf {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        value.encode(out).map_err(|_| Error::new(ErrorKind::Codec, "the message is too long"))
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        V::decode(&bytes[..]).map_err(|error| not_read(&error))
    }
}

/// What `prost` says and no value is in. Other texts have a number or a name from the bytes.
const SAFE: [&str; 6] = [
    "invalid varint",
    "recursion limit reached",
    "buffer underflow",
    "delimited length exceeded",
    "unexpected end group tag",
    "invalid string value: data is not UTF-8 encoded",
];

fn not_read(error: &DecodeError) -> Error {
    let text = error.to_string();
    let told = SAFE.into_iter().find(|safe| text.ends_with(safe));
    Error::new(
        ErrorKind::Codec,
        told.unwrap_or("the bytes are not such a message; the details may show them and are withheld"),
    )
}
