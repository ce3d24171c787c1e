//! Bytes from outside are not trusted: never a panic, never an overflow, never a large allocation.

#![cfg(all(feature = "json", feature = "msgpack"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::{Bytes, BytesMut};
use larder_codecs::{Json, MessagePack};
use larder_core::{Codec, ErrorKind};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Debug;

const DEEP: usize = 100_000;

/// Nests in all the ways a type can.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Not(Box<Tree>),
    Both(Vec<Tree>),
    Named { inner: Box<Tree> },
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    #[serde(default)]
    known: u8,
}

#[track_caller]
fn refuses<V: Debug>(codec: &impl Codec<V>, bytes: impl Into<Bytes>) {
    assert_eq!(codec.decode(&bytes.into()).unwrap_err().kind(), ErrorKind::Codec);
}

fn repeated(one: &[u8], times: usize, end: &[u8]) -> Vec<u8> {
    [one.repeat(times), end.to_vec()].concat()
}

#[test]
fn deep_json_is_an_error() {
    refuses::<serde_json::Value>(&Json, repeated(b"[", DEEP, b""));
    refuses::<serde_json::Value>(&Json, repeated(b"[", DEEP, &b"]".repeat(DEEP)));
    refuses::<serde_json::Value>(&Json, repeated(b"{\"a\":", DEEP, b""));
    refuses::<Tree>(&Json, repeated(b"{\"Not\":", DEEP, b""));
    refuses::<Tree>(&Json, repeated(b"{\"Both\":[", DEEP, b""));
    refuses::<Tree>(&Json, repeated(b"{\"Named\":{\"inner\":", DEEP, b""));
    refuses::<Known>(&Json, repeated(b"{\"unknown\":[", 1, &b"[".repeat(DEEP)));
}

#[test]
fn deep_message_pack_is_an_error() {
    refuses::<serde_json::Value>(&MessagePack, repeated(b"\x91", DEEP, b"\xc0"));
    refuses::<serde_json::Value>(&MessagePack, repeated(b"\x81\xa1a", DEEP, b"\xc0"));
    refuses::<Tree>(&MessagePack, repeated(b"\x81\xa4Both\x91", DEEP, b"\xa4Leaf"));
    refuses::<Tree>(&MessagePack, repeated(b"\x81\xa5Named\x81\xa5inner", DEEP, b"\xa4Leaf"));
    refuses::<Known>(&MessagePack, repeated(b"\x81\xa7unknown", 1, &b"\x91".repeat(DEEP)));
}

/// `rmp_serde` alone overflows the stack here, and with it ends the process.
#[test]
fn deep_enums_in_message_pack_are_an_error() {
    refuses::<Tree>(&MessagePack, repeated(b"\x81\xa3Not", DEEP, b"\xa4Leaf"));
    refuses::<Tree>(&MessagePack, repeated(b"\x81\x01", DEEP, b"\xa4Leaf"));
}

#[test]
fn what_is_nested_at_most_128_levels_is_read() {
    let tree = |levels| (0..levels).fold(Tree::Leaf, |inner, _| Tree::Not(Box::new(inner)));
    let mut json = BytesMut::new();
    let mut packed = BytesMut::new();
    // To MessagePack the leaf, a variant in its own right, is a level.
    Json.encode(&tree(127), &mut json).unwrap();
    MessagePack.encode(&tree(127), &mut packed).unwrap();

    assert_eq!(Codec::<Tree>::decode(&Json, &json.freeze()).unwrap(), tree(127));
    assert_eq!(Codec::<Tree>::decode(&MessagePack, &packed.freeze()).unwrap(), tree(127));
}

#[test]
fn too_deep_is_what_the_error_says() {
    let json = Codec::<Tree>::decode(&Json, &repeated(b"{\"Not\":", 200, b"").into()).unwrap_err();
    let bytes = repeated(b"\x81\xa3Not", 200, b"\xa4Leaf");
    let packed = Codec::<Tree>::decode(&MessagePack, &bytes.into()).unwrap_err();
    assert!(json.to_string().contains("recursion limit"), "{json}");
    assert!(packed.to_string().contains("nested deeper than 128 levels"), "{packed}");
}

#[test]
fn bytes_after_the_value_are_an_error() {
    refuses::<u8>(&Json, "7 7");
    refuses::<Vec<u8>>(&Json, "[7]x");
    for more in 0..=255_u8 {
        refuses::<u8>(&MessagePack, vec![7, more]);
        refuses::<Option<u8>>(&MessagePack, vec![0xC0, more]);
        refuses::<Tree>(&MessagePack, [b"\xa4Leaf", &[more][..]].concat());
    }
}

#[test]
fn no_bytes_are_an_error() {
    refuses::<u8>(&Json, "");
    refuses::<()>(&Json, "");
    refuses::<u8>(&MessagePack, "");
    refuses::<()>(&MessagePack, "");
    refuses::<Option<u8>>(&MessagePack, "");
}

type Nested = Vec<Vec<Vec<Vec<Vec<Vec<u64>>>>>>;

fn decoding_takes<V: Debug>(bytes: &'static [u8]) -> u64
where
    MessagePack: Codec<V>,
{
    let bytes = Bytes::from_static(bytes);
    let taken = allocation_counter::measure(|| refuses::<V>(&MessagePack, bytes));
    taken.bytes_max
}

#[test]
fn a_declared_length_allocates_no_more_than_there_are_bytes() {
    let most = 8 * 1024;
    assert!(decoding_takes::<Vec<u64>>(b"\xdd\xff\xff\xff\xff") < most);
    assert!(decoding_takes::<Vec<[u64; 16]>>(b"\xdd\xff\xff\xff\xff") < most);
    assert!(decoding_takes::<String>(b"\xdb\xff\xff\xff\xff") < most);
    assert!(decoding_takes::<HashMap<String, u64>>(b"\xdf\xff\xff\xff\xff") < most);
    assert!(decoding_takes::<serde_json::Value>(b"\xc9\xff\xff\xff\xff\x01") < most);
    let six = b"\xdd\xff\xff\xff\xff\xdd\xff\xff\xff\xff\xdd\xff\xff\xff\xff\
                \xdd\xff\xff\xff\xff\xdd\xff\xff\xff\xff\xdd\xff\xff\xff\xff";
    assert!(decoding_takes::<Nested>(six) < most);
}

/// Every cut and every changed byte of a real value: an error or another value, never a panic.
#[test]
fn damage_is_an_error_or_another_value() {
    let tree = Tree::Both(vec![
        Tree::Leaf,
        Tree::Named { inner: Box::new(Tree::Not(Box::new(Tree::Leaf))) },
        Tree::Both(vec![]),
    ]);
    damage(&Json, &tree);
    damage(&MessagePack, &tree);
}

fn damage(codec: &impl Codec<Tree>, tree: &Tree) {
    let mut out = BytesMut::new();
    codec.encode(tree, &mut out).unwrap();
    let bytes = out.freeze();
    for length in 0..bytes.len() {
        refuses::<Tree>(codec, bytes.slice(..length));
    }
    for position in 0..bytes.len() {
        for byte in 0..=255 {
            let mut changed = bytes.to_vec();
            changed[position] = byte;
            let _ = codec.decode(&changed.into());
        }
    }
}
