//! What comes back is what was put in, and fields may come and go.

#![cfg(all(feature = "json", feature = "msgpack"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::{Bytes, BytesMut};
use larder_codecs::{Json, MessagePack};
use larder_core::{Codec, ErrorKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

fn through<V, C: Codec<V>>(codec: &C, value: &V) -> V {
    let mut out = BytesMut::new();
    codec.encode(value, &mut out).unwrap();
    codec.decode(&out.freeze()).unwrap()
}

#[track_caller]
fn survives<V: PartialEq + Debug>(value: &V)
where
    Json: Codec<V>,
    MessagePack: Codec<V>,
{
    assert_eq!(&through(&Json, value), value);
    assert_eq!(&through(&MessagePack, value), value);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    Circle(f64),
    Line((i8, i8), (i8, i8)),
    Text { content: String, size: Option<u16> },
    Group(Vec<Shape>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u128);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    A { x: u8 },
    B { y: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u64,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

#[test]
fn every_sort_of_value_comes_back() {
    survives(&(i64::MIN, u64::MAX, i128::MIN, u128::MAX));
    survives(&(String::new(), "text \u{0} \u{1F980} \"quoted\"".to_string(), 'é'));
    survives(&vec![Shape::Nothing, Shape::Circle(-0.0), Shape::Line((1, 2), (-3, -4))]);
    survives(&Shape::Text { content: "x".into(), size: Some(7) });
    survives(&Shape::Group(vec![Shape::Group(vec![]), Shape::Nothing]));
    survives(&Unit);
    survives(&Newtype(7));
    survives(&vec![Tagged::A { x: 1 }, Tagged::B { y: "z".into() }]);
    survives(&Flat { id: 1, rest: [("two".to_string(), 2)].into() });
    survives(&BTreeMap::from([(3_u64, vec![0_u8, 255]), (4, vec![])]));
    survives(&Ok::<u8, String>(1));
    survives(&());
}

#[test]
fn a_cached_nothing_is_a_value() {
    survives(&None::<u32>);
    survives(&Some(0_u32));
}

/// A generator of bit patterns; those which are no finite numbers are left out.
fn floats() -> impl Iterator<Item = f64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from_bits(state)
    })
    .filter(|number| number.is_finite())
}

#[test]
fn floats_come_back_to_the_last_bit() {
    for number in floats().take(20_000) {
        assert_eq!(through(&Json, &number).to_bits(), number.to_bits(), "{number:e} through JSON");
        assert_eq!(through(&MessagePack, &number).to_bits(), number.to_bits(), "{number:e}");
    }
    assert!(through(&MessagePack, &f64::NAN).is_nan());
}

#[test]
fn encoding_appends_and_touches_nothing_before() {
    let mut out = BytesMut::from("header");
    Json.encode(&7, &mut out).unwrap();
    MessagePack.encode(&7, &mut out).unwrap();
    assert_eq!(&out[..], b"header7\x07");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Before {
    name: String,
    gone: Vec<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct After {
    #[serde(default)]
    new: u32,
    name: String,
}

fn translated<C: Codec<Before> + Codec<After>>(codec: &C) -> After {
    let mut out = BytesMut::new();
    codec.encode(&Before { name: "ada".into(), gone: vec![1, 2] }, &mut out).unwrap();
    codec.decode(&out.freeze()).unwrap()
}

#[test]
fn fields_may_come_and_go_between_releases() {
    assert_eq!(translated(&Json), After { new: 0, name: "ada".into() });
    assert_eq!(translated(&MessagePack), After { new: 0, name: "ada".into() });
}

#[test]
fn the_name_of_a_missing_field_is_told() {
    let json = Codec::<After>::decode(&Json, &Bytes::from("{}")).unwrap_err();
    let packed = Codec::<After>::decode(&MessagePack, &Bytes::from_static(b"\x80")).unwrap_err();
    for error in [json, packed] {
        assert_eq!(error.kind(), ErrorKind::Codec);
        assert!(error.to_string().contains("missing field `name`"), "{error}");
    }
}
