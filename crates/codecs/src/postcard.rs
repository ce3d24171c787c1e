//! Postcard.

use crate::bounded::Bounds;
use crate::placed::Placed;
use crate::withheld;
use ::postcard::{Deserializer, Error as Cause, ser_flavors::Flavor, serialize_with_flavor};
use bytes::Bytes;
use larder_core::{Codec, Error, ErrorKind, Format, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Encodes values as [Postcard](https://postcard.jamesmunns.com), the smallest and fastest of the formats of serde.
///
/// The bytes hold the values and nothing that tells what they are: no names, no types, no order but the one in
/// which the fields stand. **A type must not change while values of it are stored**, not even by a field at the
/// end: the old bytes may be read as a *wrong value*. Give each form of it another
/// [`version`](larder_core::Cache::version) or namespace, for which the others' bytes are not there.
///
/// For the same reason a type has to be read without asking the bytes what they hold:
/// - `#[serde(flatten)]` is an error when written; `#[serde(untagged)]`, `#[serde(tag = "..")]` and
///   `serde_json::Value` are written, and an error when read
/// - `#[serde(skip_serializing_if = "..")]` would move the fields that follow: a value of which it leaves out one that has
///   a name is an error when written. Of `#[serde(skip_serializing)]` alone, and of a skip in a tuple struct or variant,
///   nothing tells the codec, and what is read may be a *wrong value*; `#[serde(skip)]` is well
///
/// Floating-point numbers come back exactly, `NaN` and the infinities too, maps may have any keys, and `Some(None)`
/// is not `None`. A `Vec<u8>` is a run of bytes as it is.
///
/// # Errors
///
/// [`ErrorKind::Codec`], without the value:
/// - encoding: a value whose own `Serialize` fails, or that leaves out a field; a sequence that does not know its length
/// - decoding: no Postcard, or visibly not of this type; nested deeper than 128 levels; bytes after the value; more
///   elements in its sequences and maps together than it has bytes, and 65,536 (an element of a type like
///   `()` takes no bytes, and any number of them could be declared)
///
/// # Examples
///
/// ```
/// use larder_codecs::Postcard;
/// use larder_core::Codec;
/// use bytes::Bytes;
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct User {
///     name: String,
///     admin: bool,
/// }
///
/// let ada = User { name: "ada".into(), admin: true };
/// let mut out = Vec::new();
/// Postcard.encode(&ada, &mut out)?;
/// assert_eq!(&out[..], b"\x03ada\x01");
/// assert_eq!(ada, Postcard.decode(&out.into())?);
///
/// // Written before the field `admin` was there.
/// let older = Codec::<User>::decode(&Postcard, &Bytes::from_static(b"\x03ada"));
/// assert!(older.is_err());
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Postcard;

impl Format for Postcard {
    const ID: u8 = 4;
}

impl<V: Serialize + DeserializeOwned> Codec<V> for Postcard {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        serialize_with_flavor(&Placed(value), Appended(out)).map_err(|cause| failed(&cause))
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        let bounds = Bounds::of(bytes);
        let mut reader = Deserializer::from_bytes(bytes);
        let value = V::deserialize(bounds.around(&mut reader)).map_err(|cause| match bounds.refused() {
            Some(why) => Error::new(ErrorKind::Codec, why),
            None => failed(&cause),
        })?;
        match reader.finalize() {
            Ok([]) => Ok(value),
            _ => Err(Error::new(ErrorKind::Codec, "there are bytes after the value")),
        }
    }
}

/// Writes to the end of a buffer, in runs: the library's own way to extend one goes byte by byte.
struct Appended<'a>(&'a mut Vec<u8>);

impl Flavor for Appended<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> ::postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> ::postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> ::postcard::Result<()> {
        Ok(())
    }
}

fn failed(cause: &Cause) -> Error {
    let text = match cause {
        Cause::WontImplement | Cause::NotYetImplemented => {
            "the type asks the bytes what they hold (untagged, tag, flatten and the like), which Postcard does not tell"
        }
        Cause::SerdeSerCustom => {
            "the value cannot be written: its own serde code failed, or it leaves out a field (skip_serializing_if)"
        }
        Cause::SerializeSeqLengthUnknown => "a sequence or map does not know its length (flatten is one)",
        Cause::DeserializeUnexpectedEnd => "the bytes end within the value",
        Cause::DeserializeBadUtf8 => "a text is not UTF-8",
        Cause::DeserializeBadVarint
        | Cause::DeserializeBadBool
        | Cause::DeserializeBadChar
        | Cause::DeserializeBadOption
        | Cause::DeserializeBadEnum => "a part of the value is of another type",
        _ => withheld::unless_safe(""),
    };
    Error::new(ErrorKind::Codec, text)
}
