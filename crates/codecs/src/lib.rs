//! Codecs of larder: how values become the bytes that Redis, files and object storage keep.
//!
//! ```
//! use larder_codecs::Json;
//! use larder_core::Codec;
//!
//! let mut out = Vec::new();
//! Json.encode(&vec![18, 15], &mut out)?;
//! assert_eq!(&out[..], b"[18,15]");
//!
//! let back: Vec<u32> = Json.decode(&out.into())?;
//! assert_eq!(back, [18, 15]);
//! # larder_core::Result::Ok(())
//! ```
//!
//! A cache takes one with [`Cache::codec`](larder_core::Cache::codec); nothing else need be known about it.
//!
//! # Codecs
//!
//! | type | feature | number | for |
//! |---|---|---|---|
//! | [`Raw`](larder_core::Raw) | in `larder-core` | 0 | values that are bytes already |
//! | `Json` | `json` (default) | 1 | bytes that people read and other languages write |
//! | `MessagePack` | `msgpack` | 2 | the same data model, smaller and faster |
//! | `CompactMessagePack` | `msgpack` | 3 | the same without names of fields: types that grow at the end only |
//! | `Postcard` | `postcard` | 4 | the smallest, and the fastest that serde has; types that do not change under one version |
//! | `Protobuf` | `protobuf` | 5 | messages that have a `.proto` file, or `#[derive(prost::Message)]` |
//! | `Cbor` | `cbor` | 6 | binary bytes that other languages write and read |
//! | `Rkyv` | `rkyv` | 7 | the fastest; types that derive what rkyv needs and do not change under one version |
//!
//! The number travels with every value. Bytes that another codec wrote are a miss, never a wrong value.
//!
//! # Which changes of a type each takes
//!
//! What is stored outlives a release, so the bytes of an older type are read as a newer one, and while two
//! releases run, the other way round.
//!
//! | | a field more | a field less | fields exchanged | a field renamed |
//! |---|---|---|---|---|
//! | `Json`, `MessagePack`, `Cbor` | with `#[serde(default)]` | yes | yes | a miss |
//! | `CompactMessagePack` | at the end, with `#[serde(default)]` | a miss | perhaps a wrong value | yes |
//! | `Postcard`, `Rkyv` | perhaps a wrong value | perhaps a wrong value | perhaps a wrong value | yes |
//! | `Protobuf` | with a new number | yes | yes | yes |
//!
//! # What all promise
//!
//! - **Bytes are not trusted.** Nesting deeper than 128 levels (of `Protobuf`, 100), lengths beyond what is there and
//!   bytes after the value are errors, found without a panic and without allocating more than a multiple of the input.
//!   The multiple depends on the type: an element of a list takes a byte or two when it is all defaults, and in memory what
//!   its type takes. [`Cache::max_value_bytes`](larder_core::Cache::max_value_bytes) bounds the input, and of compressed
//!   values what they become; [`Cache::encrypted`](larder_core::Cache::encrypted) keeps others from writing it. The
//!   exceptions: `Protobuf` takes bytes after the value for fields that it does not know, `Rkyv` may read another value
//!   with them and has a list of its own of what is not bounded, and `Json` does not count a type that is nested by
//!   options alone.
//! - **Errors show no values.** What serde says of a value that does not fit may quote it, so only the place
//!   and the name of a missing field are told.
//!
//! # What they do not do
//!
//! - `Some` of what is written as nothing comes back as `None`: `Some(None)` of an `Option<Option<T>>`, `Some(())`, and in
//!   JSON `Some(NaN)`. Only `Postcard`, `Protobuf` and `Rkyv` tell them apart. A cached `None` itself is an entry like
//!   any other and not a miss.
//! - The time to read a recursive `#[serde(untagged)]` enum doubles with each level that two of its variants could have:
//!   that is how serde tries them. Where others can write to the store, give such a type tags.
//! - A value that is nested deeper than that is written, and is a miss when read.

#[cfg(any(feature = "msgpack", feature = "postcard", feature = "cbor"))]
mod bounded;
#[cfg(feature = "cbor")]
mod cbor;
#[cfg(feature = "msgpack")]
mod compact_message_pack;
#[cfg(any(feature = "zstd", feature = "lz4", feature = "gzip"))]
pub mod compression;
#[cfg(feature = "encryption")]
mod encryption;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "msgpack")]
mod message_pack;
#[cfg(any(feature = "msgpack", feature = "postcard"))]
mod placed;
#[cfg(feature = "postcard")]
mod postcard;
#[cfg(feature = "protobuf")]
mod protobuf;
#[cfg(feature = "rkyv")]
mod rkyv;
#[cfg(any(feature = "json", feature = "msgpack", feature = "postcard", feature = "cbor"))]
mod withheld;

#[cfg(feature = "cbor")]
pub use cbor::Cbor;
#[cfg(feature = "msgpack")]
pub use compact_message_pack::CompactMessagePack;
#[cfg(any(feature = "zstd", feature = "lz4", feature = "gzip"))]
pub use compression::Compressing;
#[cfg(feature = "gzip")]
pub use compression::Gzip;
#[cfg(feature = "lz4")]
pub use compression::Lz4;
#[cfg(feature = "zstd")]
pub use compression::Zstd;
#[cfg(feature = "encryption")]
pub use encryption::EncryptionKeys;
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "msgpack")]
pub use message_pack::MessagePack;
#[cfg(feature = "postcard")]
pub use postcard::Postcard;
#[cfg(feature = "protobuf")]
pub use protobuf::Protobuf;
#[cfg(feature = "rkyv")]
pub use rkyv::{Archivable, Rkyv};
