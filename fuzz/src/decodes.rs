//! What holds for every codec, whatever it is given to decode.

use crate::Tree;
use allocation_counter::measure;
use bytes::Bytes;
use larder_core::Codec;
use std::fmt::Debug;

/// A byte of input may become as much memory: one entry of a map takes a node of eleven.
const MOST_PER_BYTE: u64 = 2 << 10;
/// What decoding may take besides, however little it is given.
const MOST_AT_ONCE: u64 = 64 << 10;

/// Decodes `bytes` into a type with every sort of field and into one that takes whatever comes.
///
/// # Panics
///
/// Where the codec does, where it takes more memory than a multiple of its input, and where what was decoded does not
/// come back from being encoded.
pub fn decodes<C>(codec: &C, bytes: &[u8])
where
    C: Codec<Tree> + Codec<serde_json::Value>,
{
    let bytes = Bytes::copy_from_slice(bytes);
    decodes_as::<Tree, C>(codec, &bytes);
    decodes_as::<serde_json::Value, C>(codec, &bytes);
}

/// Decodes `bytes` into a type, for codecs that do not take every type. Returns the value, if it is one.
///
/// # Panics
///
/// As [`decodes`] does.
pub fn decodes_as<V: PartialEq + Debug, C: Codec<V>>(codec: &C, bytes: &Bytes) -> Option<V> {
    let (value, encoded) = comes_back(codec, bytes)?;
    assert_eq!(encode(codec, &value), encoded, "the same value has other bytes");
    Some(value)
}

/// The same for a type in which one value may have several forms. Returns what came back, and its bytes.
pub(crate) fn comes_back<V: PartialEq + Debug, C: Codec<V>>(codec: &C, bytes: &Bytes) -> Option<(V, Bytes)> {
    let mut decoded = None;
    let taken = measure(|| decoded = codec.decode(bytes).ok()).bytes_max;
    let most = MOST_AT_ONCE + MOST_PER_BYTE * bytes.len() as u64;
    assert!(taken <= most, "{taken} bytes of memory for {} bytes of input", bytes.len());

    let value = decoded?;
    let encoded = encode(codec, &value);
    let again = codec.decode(&encoded).expect("what was encoded can be decoded");
    assert_eq!(again, value, "another value came back");
    Some((again, encoded))
}

fn encode<V, C: Codec<V>>(codec: &C, value: &V) -> Bytes {
    let mut out = Vec::new();
    codec.encode(value, &mut out).expect("what was decoded can be encoded");
    out.into()
}
