//! However deep the bytes are nested, the stack does not overflow.

#![cfg(all(feature = "json", feature = "msgpack", feature = "postcard", feature = "cbor"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::{Cbor, CompactMessagePack, Json, MessagePack, Postcard};
use larder_core::{Codec, ErrorKind};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

const DEEP: usize = 100_000;

/// Nests in all the ways a type can, but by options.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Not(Box<Tree>),
    Both(Vec<Tree>),
    Named { inner: Box<Tree> },
}

/// Nests by options alone.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Listed {
    next: Option<Box<Listed>>,
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
    refuses::<Tree>(&CompactMessagePack, repeated(b"\x81\xa5Named\x91", DEEP, b"\xa4Leaf"));
    refuses::<Known>(&MessagePack, repeated(b"\x81\xa7unknown", 1, &b"\x91".repeat(DEEP)));
}

/// `rmp_serde` alone overflows the stack here, and with it ends the process.
#[test]
fn deep_enums_in_message_pack_are_an_error() {
    refuses::<Tree>(&MessagePack, repeated(b"\x81\xa3Not", DEEP, b"\xa4Leaf"));
    refuses::<Tree>(&MessagePack, repeated(b"\x81\x01", DEEP, b"\xa4Leaf"));
    refuses::<Tree>(&CompactMessagePack, repeated(b"\x81\xa3Not", DEEP, b"\xa4Leaf"));
}

/// `postcard` has no limit of its own.
#[test]
fn deep_postcard_is_an_error() {
    refuses::<Tree>(&Postcard, repeated(b"\x01", DEEP, b"\0"));
    refuses::<Tree>(&Postcard, repeated(b"\x02\x01", DEEP, b"\0"));
    refuses::<Tree>(&Postcard, repeated(b"\x03", DEEP, b"\0"));
    refuses::<Listed>(&Postcard, repeated(b"\x01", DEEP, b"\0"));
}

#[test]
fn deep_cbor_is_an_error() {
    refuses::<serde_json::Value>(&Cbor, repeated(b"\x81", DEEP, b"\xf6"));
    refuses::<serde_json::Value>(&Cbor, repeated(b"\x9f", DEEP, b"\xf6"));
    refuses::<serde_json::Value>(&Cbor, repeated(b"\xa1\x61a", DEEP, b"\xf6"));
    refuses::<serde_json::Value>(&Cbor, repeated(b"\xc1", DEEP, b"\xf6"));
    refuses::<Tree>(&Cbor, repeated(b"\xa1\x63Not", DEEP, b"\x64Leaf"));
    refuses::<Tree>(&Cbor, repeated(b"\xa1\x64Both\x81", DEEP, b"\x64Leaf"));
    refuses::<Tree>(&Cbor, repeated(b"\xa1\x65Named\xa1\x65inner", DEEP, b"\x64Leaf"));
    refuses::<Known>(&Cbor, repeated(b"\xa1\x67unknown", 1, &b"\x81".repeat(DEEP)));
    refuses::<Known>(&Cbor, repeated(b"\xa1\x67unknown", 1, &b"\xc1".repeat(DEEP)));
}

/// In Postcard a level of these takes a byte; in the others none, and whatever is no null never ends.
#[test]
fn deep_options_are_an_error() {
    refuses::<Chain>(&Postcard, repeated(b"\x01", DEEP, b"\0"));
    refuses::<Chain>(&MessagePack, "\x07");
    refuses::<Chain>(&Cbor, "\x07");
}

#[test]
fn what_is_nested_at_most_128_levels_is_read() {
    fn reads<V: Debug + PartialEq>(codec: &impl Codec<V>, value: &V) {
        let mut out = Vec::new();
        codec.encode(value, &mut out).unwrap();
        assert_eq!(&codec.decode(&out.into()).unwrap(), value);
    }
    // To all but JSON the leaf, a variant in its own right, is a level.
    let not = |levels| (0..levels).fold(Tree::Leaf, |inner, _| Tree::Not(Box::new(inner)));
    reads(&Json, &not(127));
    reads(&MessagePack, &not(127));
    reads(&CompactMessagePack, &not(127));
    reads(&Postcard, &not(127));
    reads(&Cbor, &not(127));

    let listed =
        |levels| (0..levels).fold(Listed { next: None }, |next, _| Listed { next: Some(Box::new(next)) });
    reads(&MessagePack, &listed(127));
    reads(&CompactMessagePack, &listed(127));
    reads(&Postcard, &listed(127));
    reads(&Cbor, &listed(127));
    reads(&Postcard, &(0..128).fold(Chain(None), |chain, _| Chain(Some(Box::new(chain)))));
}

#[test]
fn too_deep_is_what_the_error_says() {
    fn said(codec: &impl Codec<Tree>, bytes: Vec<u8>) -> String {
        codec.decode(&bytes.into()).unwrap_err().to_string()
    }
    let json = said(&Json, repeated(b"{\"Not\":", 200, b""));
    assert!(json.contains("recursion limit"), "{json}");
    for said in [
        said(&MessagePack, repeated(b"\x81\xa3Not", 200, b"\xa4Leaf")),
        said(&Postcard, repeated(b"\x01", 200, b"\0")),
        said(&Cbor, repeated(b"\xa1\x63Not", 200, b"\x64Leaf")),
    ] {
        assert!(said.contains("nested deeper than 128 levels"), "{said}");
    }
}
