//! What [`Protobuf`] promises; its messages are types of their own sort.

#![cfg(feature = "protobuf")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::Protobuf;
use larder_core::{Codec, ErrorKind};
use prost::Message;
use std::collections::HashMap;

#[derive(Clone, PartialEq, Message)]
struct Document {
    #[prost(string, tag = "1")]
    title: String,
    #[prost(bytes = "bytes", tag = "2")]
    body: Bytes,
    #[prost(double, optional, tag = "3")]
    score: Option<f64>,
    #[prost(map = "string, sint64", tag = "4")]
    counts: HashMap<String, i64>,
    #[prost(message, optional, boxed, tag = "5")]
    inner: Option<Box<Document>>,
    #[prost(message, repeated, tag = "6")]
    parts: Vec<Document>,
    #[prost(uint32, repeated, tag = "7")]
    numbers: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Newer {
    #[prost(string, tag = "1")]
    title: String,
    #[prost(uint32, tag = "20")]
    pages: u32,
}

fn document() -> Document {
    Document {
        title: "Notes \u{1F980}".into(),
        body: Bytes::from(vec![7; 10_000]),
        score: Some(-0.0),
        counts: [("x".to_string(), -5)].into(),
        inner: Some(Box::new(Document { title: "inner".into(), ..Document::default() })),
        parts: vec![Document::default(), Document { numbers: vec![1, 300], ..Document::default() }],
        numbers: vec![0, u32::MAX],
    }
}

fn written<V: Message + Default>(value: &V) -> Bytes {
    let mut out = Vec::new();
    Protobuf.encode(value, &mut out).unwrap();
    out.into()
}

fn read<V: Message + Default>(bytes: impl Into<Bytes>) -> larder_core::Result<V> {
    Protobuf.decode(&bytes.into())
}

#[track_caller]
fn refused(bytes: impl Into<Bytes>) -> String {
    let error = read::<Document>(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
    error.to_string()
}

#[test]
fn a_message_comes_back() {
    assert_eq!(read::<Document>(written(&document())).unwrap(), document());
    assert_eq!(read::<Document>("").unwrap(), Document::default());
}

#[test]
fn encoding_appends_and_touches_nothing_before() {
    let mut out = b"header".to_vec();
    Protobuf.encode(&Newer { title: "x".into(), pages: 1 }, &mut out).unwrap();
    assert_eq!(&out[..], b"header\x0a\x01x\xa0\x01\x01");
}

#[test]
fn fields_may_come_and_go() {
    let newer = Newer { title: "Notes \u{1F980}".into(), pages: 0 };
    assert_eq!(read::<Newer>(written(&document())).unwrap(), newer);
    let older = Document { title: "x".into(), ..Document::default() };
    assert_eq!(read::<Document>(written(&Newer { title: "x".into(), pages: 7 })).unwrap(), older);
}

#[test]
fn messages_nested_at_most_100_levels_are_read() {
    let nested = |levels| {
        (0..levels).fold(Document::default(), |inner, _| Document {
            inner: Some(Box::new(inner)),
            ..Document::default()
        })
    };
    assert_eq!(read::<Document>(written(&nested(100))).unwrap(), nested(100));
    assert!(refused(written(&nested(101))).contains("recursion limit"));
}

#[test]
fn deep_bytes_are_an_error() {
    // Groups of an unknown field, which need not be closed to be entered.
    assert!(refused(b"\x7b".repeat(100_000)).contains("recursion limit"));
    let deep = (0..3_000).fold(Vec::new(), |inner: Vec<u8>, _| {
        let mut outer = vec![0x2A];
        prost::encoding::encode_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        outer
    });
    assert!(refused(deep).contains("recursion limit"));
}

#[test]
fn a_declared_length_makes_no_room() {
    for field in [b"\x0a", b"\x12", b"\x22", b"\x2a", b"\x32", b"\x3a", b"\x7a"] {
        let bytes = [&field[..], b"\xff\xff\xff\xff\x07"].concat();
        let taken = allocation_counter::measure(|| drop(refused(bytes)));
        assert!(taken.bytes_max < 8 * 1024, "{}", taken.bytes_max);
    }
}

/// Every cut and every changed byte: an error or another message, never a panic.
#[test]
fn damage_is_an_error_or_another_message() {
    let bytes = written(&Document { body: Bytes::from_static(b"body"), ..document() });
    for length in 0..bytes.len() {
        let _ = read::<Document>(bytes.slice(..length));
    }
    for position in 0..bytes.len() {
        for byte in 0..=255 {
            let mut changed = bytes.to_vec();
            changed[position] = byte;
            let _ = read::<Document>(changed);
        }
    }
}

#[test]
fn errors_show_no_values() {
    for bytes in [
        &b"\x08\x2a"[..],
        b"\x0a\x08hunter2\xff",
        b"\x2f",
        b"\x0a\x10hunter2",
        b"\x0f42424242",
        b"\x02hunter2",
    ] {
        let said = refused(bytes);
        assert!(!said.contains("hunter2") && !said.contains("42"), "{said}");
    }
}
