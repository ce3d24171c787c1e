//! What comes back is what was put in.

#![cfg(all(feature = "json", feature = "msgpack", feature = "postcard", feature = "cbor"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]
use larder_codecs::{Cbor, CompactMessagePack, Json, MessagePack, Postcard};
use larder_core::{Codec, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Debug;

fn through<V, C: Codec<V>>(codec: &C, value: &V) -> V {
    let mut out = Vec::new();
    codec.encode(value, &mut out).unwrap();
    codec.decode(&out.into()).unwrap()
}

/// In the formats whose bytes tell what they are.
#[track_caller]
fn survives_described<V: PartialEq + Debug>(value: &V)
where
    Json: Codec<V>,
    MessagePack: Codec<V>,
    CompactMessagePack: Codec<V>,
    Cbor: Codec<V>,
{
    assert_eq!(&through(&Json, value), value);
    assert_eq!(&through(&MessagePack, value), value);
    assert_eq!(&through(&CompactMessagePack, value), value);
    assert_eq!(&through(&Cbor, value), value);
}

#[track_caller]
fn survives<V: PartialEq + Debug>(value: &V)
where
    Json: Codec<V>,
    MessagePack: Codec<V>,
    CompactMessagePack: Codec<V>,
    Cbor: Codec<V>,
    Postcard: Codec<V>,
{
    survives_described(value);
    assert_eq!(&through(&Postcard, value), value);
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
#[serde(tag = "type", content = "content")]
enum Adjacent {
    A { x: u8 },
    B(String),
    C,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Nothing,
    Number(i64),
    Text(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u64,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

fn flat() -> Flat {
    Flat { id: 1, rest: [("two".to_string(), 2)].into() }
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
    survives(&BTreeMap::from([(3_u64, vec![0_u8, 255]), (4, vec![])]));
    survives(&Ok::<u8, String>(1));
    survives(&());
    survives(&vec![(); 1000]);
}

#[test]
fn what_the_bytes_must_describe_comes_back() {
    survives_described(&vec![Tagged::A { x: 1 }, Tagged::B { y: "z".into() }]);
    survives_described(&vec![Untagged::Nothing, Untagged::Number(-3), Untagged::Text("x".into())]);
    survives_described(&flat());
    survives_described(&json!({ "null": null, "list": [1, -2, 1.5, "x", true], "map": {} }));
}

/// A limit of serde's: the content of such an enum is read by name where it has fields.
#[test]
fn enums_with_tag_and_content_come_back_where_fields_have_names() {
    for value in [Adjacent::A { x: 1 }, Adjacent::B("z".into()), Adjacent::C] {
        assert_eq!(through(&Json, &value), value);
        assert_eq!(through(&MessagePack, &value), value);
        assert_eq!(through(&Cbor, &value), value);
    }
    for (value, comes_back) in
        [(Adjacent::A { x: 1 }, false), (Adjacent::B("z".into()), true), (Adjacent::C, false)]
    {
        let mut out = Vec::new();
        CompactMessagePack.encode(&value, &mut out).unwrap();
        let read = Codec::<Adjacent>::decode(&CompactMessagePack, &out.into());
        assert_eq!(read.is_ok(), comes_back, "{value:?}");
    }
}

#[test]
fn what_the_bytes_must_describe_is_an_error_of_postcard() {
    fn read<V: Debug>(value: &V) -> String
    where
        Postcard: Codec<V>,
    {
        let mut out = Vec::new();
        Postcard.encode(value, &mut out).unwrap();
        let error = Codec::<V>::decode(&Postcard, &out.into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec);
        error.to_string()
    }
    for error in [
        read(&Tagged::A { x: 1 }),
        read(&Adjacent::B(String::new())),
        read(&Untagged::Number(1)),
        read(&json!(null)),
    ] {
        assert!(error.contains("which Postcard does not tell"), "{error}");
    }
    let error = Postcard.encode(&flat(), &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("does not know its length"), "{error}");
}

#[test]
fn a_cached_nothing_is_a_value() {
    survives(&None::<u32>);
    survives(&Some(0_u32));
}

#[test]
fn only_postcard_tells_some_of_nothing_from_nothing() {
    assert_eq!(through(&Postcard, &Some(None::<u8>)), Some(None));
    assert_eq!(through(&Json, &Some(None::<u8>)), None);
    assert_eq!(through(&MessagePack, &Some(None::<u8>)), None);
    assert_eq!(through(&Cbor, &Some(None::<u8>)), None);
}

#[test]
fn long_texts_and_bytes_come_back_whoever_asks_for_them() {
    /// Asks for a borrowed text, as some types of other crates do.
    #[derive(Debug, PartialEq)]
    struct Borrowing(String);

    impl Serialize for Borrowing {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(&self.0)
        }
    }
    impl<'de> Deserialize<'de> for Borrowing {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Text;
            impl serde::de::Visitor<'_> for Text {
                type Value = Borrowing;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a text")
                }
                fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Borrowing, E> {
                    Ok(Borrowing(text.into()))
                }
            }
            deserializer.deserialize_str(Text)
        }
    }

    survives(&Borrowing("x".repeat(10_000)));
    survives(&bytes::Bytes::from(vec![7; 10_000]));
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

fn come_back(codec: &impl Codec<f64>) {
    for number in floats().take(20_000) {
        assert_eq!(through(codec, &number).to_bits(), number.to_bits(), "{number:e}");
    }
}

#[test]
fn floats_come_back_to_the_last_bit() {
    come_back(&Json);
    come_back(&MessagePack);
    come_back(&CompactMessagePack);
    come_back(&Postcard);
    come_back(&Cbor);
}

#[test]
fn what_is_no_number_comes_back_but_in_json() {
    fn come_back<C: Codec<f64> + Codec<f32>>(codec: &C) {
        assert!(through(codec, &f64::NAN).is_nan() && through(codec, &f32::NAN).is_nan());
        assert_eq!(through(codec, &f64::NEG_INFINITY).to_bits(), f64::NEG_INFINITY.to_bits());
    }
    come_back(&MessagePack);
    come_back(&Postcard);
    come_back(&Cbor);

    let mut null = Vec::new();
    Json.encode(&f64::NAN, &mut null).unwrap();
    assert_eq!(null, b"null");
    assert!(Codec::<f64>::decode(&Json, &null.into()).is_err());
}

/// What is written as `null` is read as `None`, whatever it was.
#[test]
fn a_something_that_is_written_as_nothing_comes_back_as_none() {
    assert_eq!(through(&Json, &Some(f64::NAN)), None);
    assert_eq!(through(&Json, &Some(())), None);
    assert_eq!(through(&MessagePack, &Some(())), None);
    assert_eq!(through(&Cbor, &Some(())), None);
    assert_eq!(through(&Postcard, &Some(())), Some(()));
}

#[test]
fn cbor_is_read_in_all_its_forms() {
    fn read<V>(bytes: &'static [u8]) -> V
    where
        Cbor: Codec<V>,
    {
        Cbor.decode(&bytes::Bytes::from_static(bytes)).unwrap()
    }
    assert_eq!(read::<f64>(b"\xf9\x3e\x00").to_bits(), 1.5_f64.to_bits());
    assert_eq!(read::<f64>(b"\xfa\x3f\xc0\0\0").to_bits(), 1.5_f64.to_bits());
    assert_eq!(read::<u8>(b"\x19\x00\x07"), 7);
    assert_eq!(read::<u64>(b"\xc1\x1a\x51\x4b\x67\xb0"), 1_363_896_240);
    assert_eq!(read::<String>(b"\x7f\x61a\x61b\xff"), "ab");
    assert_eq!(read::<Vec<u8>>(b"\x9f\x01\x02\xff"), [1, 2]);
    assert_eq!(read::<Vec<u8>>(b"\x42\x01\x02"), [1, 2]);
    assert_eq!(read::<Option<u8>>(b"\xf7"), None);
}

#[test]
fn encoding_appends_and_touches_nothing_before() {
    let mut out = b"header".to_vec();
    Json.encode(&7, &mut out).unwrap();
    MessagePack.encode(&7, &mut out).unwrap();
    CompactMessagePack.encode(&7, &mut out).unwrap();
    Postcard.encode(&7_u8, &mut out).unwrap();
    Cbor.encode(&7, &mut out).unwrap();
    assert_eq!(&out[..], b"header7\x07\x07\x07\x07");
}
