//! MessagePack without the names of fields.

use crate::message_pack::{not_written, read};
use crate::placed::Placed;
use bytes::Bytes;
use larder_core::{Codec, Format, Result};
use rmp_serde::encode;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Encodes values as [MessagePack](https://msgpack.org) with structs as arrays, without the names of their fields.
///
/// Smaller and faster than [`MessagePack`](crate::MessagePack), most of all for many small structs. It costs this:
/// - Fields are told apart by their place, so one may only be added at the end, with `#[serde(default)]`. What
///   was written before then reads as it did. The longer bytes are a miss for a release without the field, so
///   while two releases run they reload for each other.
/// - To remove a field makes what is stored a miss. To exchange two of one type, or to put one in their midst,
///   makes of it a *wrong value*, which nothing can notice: give the new form another
///   [`version`](larder_core::Cache::version). Renaming a field changes nothing.
/// - `#[serde(skip_serializing_if = "..")]` would move the fields that follow; a value of which it leaves out one that has a
///   name is not written. `#[serde(skip)]` is well. Of `#[serde(skip_serializing)]` alone, and of a skip in a tuple
///   struct or variant, nothing tells the codec, and what is read may be a *wrong value*.
/// - The variants of an `#[serde(untagged)]` enum need different shapes, as there are no names to tell them apart. Of
///   enums with `#[serde(tag = "..", content = "..")]` only tuple variants are read. Those of others have names.
///
/// # Errors
///
/// [`ErrorKind::Codec`](larder_core::ErrorKind::Codec), without the value:
/// - encoding: a value whose own `Serialize` fails, or that leaves out a field
/// - decoding: no MessagePack, or not of this type; nested deeper than 128 levels; a declared length beyond
///   the end; bytes after the value
///
/// # Examples
///
/// ```
/// use larder_codecs::CompactMessagePack;
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
/// CompactMessagePack.encode(&User { name: "ada".into(), admin: true }, &mut out)?;
/// assert_eq!(&out[..], b"\x92\xa3ada\xc3");
///
/// // Written before the field `admin` was there.
/// let older: User = CompactMessagePack.decode(&Bytes::from_static(b"\x91\xa3ada"))?;
/// assert_eq!(older, User { name: "ada".into(), admin: false });
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CompactMessagePack;

impl Format for CompactMessagePack {
    const ID: u8 = 3;
}

impl<V: Serialize + DeserializeOwned> Codec<V> for CompactMessagePack {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        encode::write(out, &Placed(value)).map_err(|error| not_written(&error))
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        read(bytes)
    }
}
