//! Bytes from outside are not trusted: what is cut, damaged or too long is an error, never a panic.

#![cfg(all(feature = "json", feature = "msgpack", feature = "postcard", feature = "cbor"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::{Cbor, CompactMessagePack, Json, MessagePack, Postcard};
use larder_core::{Codec, ErrorKind};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Not(Box<Tree>),
    Both(Vec<Tree>),
    Named { inner: Box<Tree> },
}

#[track_caller]
fn refuses<V: Debug>(codec: &impl Codec<V>, bytes: impl Into<Bytes>) {
    assert_eq!(codec.decode(&bytes.into()).unwrap_err().kind(), ErrorKind::Codec);
}

#[test]
fn bytes_after_the_value_are_an_error() {
    refuses::<u8>(&Json, "7 7");
    refuses::<Vec<u8>>(&Json, "[7]x");
    for more in 0..=255_u8 {
        refuses::<u8>(&MessagePack, vec![7, more]);
        refuses::<Option<u8>>(&MessagePack, vec![0xC0, more]);
        refuses::<Tree>(&MessagePack, [b"\xa4Leaf", &[more][..]].concat());
        refuses::<u8>(&CompactMessagePack, vec![7, more]);
        refuses::<u8>(&Postcard, vec![7, more]);
        refuses::<Option<u8>>(&Postcard, vec![0, more]);
        refuses::<()>(&Postcard, vec![more]);
        refuses::<u8>(&Cbor, vec![7, more]);
        refuses::<Option<u8>>(&Cbor, vec![0xF6, more]);
        refuses::<Tree>(&Cbor, [b"\x64Leaf", &[more][..]].concat());
    }
}

#[test]
fn no_bytes_are_an_error() {
    fn refuses_nothing<C: Codec<u8> + Codec<Option<u8>> + Codec<String>>(codec: &C) {
        refuses::<u8>(codec, "");
        refuses::<Option<u8>>(codec, "");
        refuses::<String>(codec, "");
    }
    refuses_nothing(&Json);
    refuses_nothing(&MessagePack);
    refuses_nothing(&CompactMessagePack);
    refuses_nothing(&Postcard);
    refuses_nothing(&Cbor);
    refuses::<()>(&Json, "");
    refuses::<()>(&MessagePack, "");
    refuses::<()>(&Cbor, "");
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
    damage(&CompactMessagePack, &tree);
    damage(&Postcard, &tree);
    damage(&Cbor, &tree);
}

fn damage(codec: &impl Codec<Tree>, tree: &Tree) {
    let mut out = Vec::new();
    codec.encode(tree, &mut out).unwrap();
    let bytes = Bytes::from(out);
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
