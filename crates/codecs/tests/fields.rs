//! Fields may come and go between releases, as far as each format says.

#![cfg(all(feature = "json", feature = "msgpack", feature = "postcard", feature = "cbor"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::{Cbor, CompactMessagePack, Json, MessagePack, Postcard};
use larder_core::{Codec, ErrorKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

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

fn before() -> Before {
    Before { name: "ada".into(), gone: vec![1, 2] }
}

fn written<V, C: Codec<V>>(codec: &C, value: &V) -> Bytes {
    let mut out = Vec::new();
    codec.encode(value, &mut out).unwrap();
    out.into()
}

fn translated<V, W, C: Codec<V> + Codec<W>>(codec: &C, value: &V) -> larder_core::Result<W> {
    codec.decode(&written(codec, value))
}

#[test]
fn fields_with_names_may_come_and_go() {
    let after = After { new: 0, name: "ada".into() };
    assert_eq!(translated::<_, After, _>(&Json, &before()).unwrap(), after);
    assert_eq!(translated::<_, After, _>(&MessagePack, &before()).unwrap(), after);
    assert_eq!(translated::<_, After, _>(&Cbor, &before()).unwrap(), after);
}

#[test]
fn the_name_of_a_missing_field_is_told() {
    let json = Codec::<After>::decode(&Json, &Bytes::from("{}")).unwrap_err();
    let packed = Codec::<After>::decode(&MessagePack, &Bytes::from_static(b"\x80")).unwrap_err();
    let cbor = Codec::<After>::decode(&Cbor, &Bytes::from_static(b"\xa0")).unwrap_err();
    for error in [json, packed, cbor] {
        assert_eq!(error.kind(), ErrorKind::Codec);
        assert!(error.to_string().contains("missing field `name`"), "{error}");
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Longer {
    name: String,
    gone: Vec<u8>,
    #[serde(default)]
    new: Option<u32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct LongerWithoutDefault {
    name: String,
    gone: Vec<u8>,
    new: Option<u32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Exchanged {
    gone: Vec<u8>,
    name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Renamed {
    full_name: String,
    gone: Vec<u8>,
}

#[test]
fn compact_message_pack_takes_a_new_field_at_the_end_with_a_default() {
    let longer = Longer { name: "ada".into(), gone: vec![1, 2], new: None };
    assert_eq!(translated::<_, Longer, _>(&CompactMessagePack, &before()).unwrap(), longer);
    assert!(translated::<_, LongerWithoutDefault, _>(&CompactMessagePack, &before()).is_err());
    assert!(translated::<_, After, _>(&CompactMessagePack, &before()).is_err());

    // The release before, and a field that is removed.
    assert!(translated::<_, Before, _>(&CompactMessagePack, &longer).is_err());
}

#[test]
fn compact_message_pack_knows_fields_by_their_place() {
    assert!(translated::<_, Exchanged, _>(&CompactMessagePack, &before()).is_err());
    let renamed = Renamed { full_name: "ada".into(), gone: vec![1, 2] };
    assert_eq!(translated::<_, Renamed, _>(&CompactMessagePack, &before()).unwrap(), renamed);
}

#[test]
fn postcard_takes_no_change_at_all() {
    assert!(translated::<_, Longer, _>(&Postcard, &before()).is_err());
    let longer = Longer { name: "ada".into(), gone: vec![1, 2], new: None };
    assert!(translated::<_, Before, _>(&Postcard, &longer).is_err());

    // And nothing tells of this one: a text and a list of bytes look the same.
    let wrong = Exchanged { gone: b"ada".to_vec(), name: "\x01\x02".into() };
    assert_eq!(translated::<_, Exchanged, _>(&Postcard, &before()).unwrap(), wrong);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Skipping {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<u8>,
    #[serde(skip)]
    never: u8,
    second: Option<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Wrapping {
    Struct {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inner: Option<u8>,
    },
    Newtype(Vec<(Option<Skipping>, BTreeMap<u8, Skipping>)>),
}

/// Read back, `second` would be `first`.
#[test]
fn a_field_left_out_is_an_error_where_fields_have_no_names() {
    fn refuses<V>(codec: &impl Codec<V>, value: &V) {
        let error = codec.encode(value, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec);
        assert!(error.to_string().contains("skip_serializing_if"), "{error}");
    }
    let skipping = |first| Skipping { first, never: 0, second: Some(7) };
    refuses(&CompactMessagePack, &skipping(None));
    refuses(&Postcard, &skipping(None));
    refuses(&Postcard, &Wrapping::Struct { inner: None });
    refuses(&Postcard, &Wrapping::Newtype(vec![(Some(skipping(None)), BTreeMap::new())]));
    refuses(&Postcard, &Wrapping::Newtype(vec![(None, BTreeMap::from([(1, skipping(None))]))]));

    assert_eq!(
        translated::<_, Skipping, _>(&CompactMessagePack, &skipping(Some(1))).unwrap(),
        skipping(Some(1))
    );
    assert_eq!(translated::<_, Skipping, _>(&Postcard, &skipping(Some(1))).unwrap(), skipping(Some(1)));
    assert_eq!(translated::<_, Skipping, _>(&MessagePack, &skipping(None)).unwrap(), skipping(None));
    assert_eq!(translated::<_, Skipping, _>(&Cbor, &skipping(None)).unwrap(), skipping(None));
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
struct All {
    before: Before,
    shapes: Vec<Shape>,
    by_number: BTreeMap<u8, Option<Renamed>>,
    unit: (),
}

/// The numbers of the two formats differ, so a cache never does it; but what a cache would have to convert, it could.
#[test]
fn each_message_pack_reads_what_the_other_wrote() {
    fn both_ways<V: Serialize + DeserializeOwned + PartialEq + Debug>(value: &V) {
        let compact = written(&CompactMessagePack, value);
        assert_eq!(&Codec::<V>::decode(&MessagePack, &compact).unwrap(), value);
        let named = written(&MessagePack, value);
        assert_eq!(&Codec::<V>::decode(&CompactMessagePack, &named).unwrap(), value);
        assert!(compact.len() <= named.len());
    }
    let shapes = vec![
        Shape::Nothing,
        Shape::Circle(1.5),
        Shape::Line((1, 2), (3, 4)),
        Shape::Text { content: "x".into(), size: None },
        Shape::Group(vec![Shape::Nothing, Shape::Text { content: "y".into(), size: Some(1) }]),
    ];
    let renamed = Renamed { full_name: "x".into(), gone: vec![] };
    let by_number = BTreeMap::from([(1, None), (2, Some(renamed))]);
    both_ways(&All { before: before(), shapes, by_number, unit: () });
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unseen {
    #[serde(skip_serializing, default)]
    hidden: u8,
    first: u8,
    #[serde(default)]
    second: u8,
}

/// Serde tells nobody of these. The documentation does.
#[test]
fn a_field_that_is_never_written_makes_a_wrong_value_where_fields_have_no_names() {
    let value = || Unseen { hidden: 9, first: 1, second: 2 };
    let moved = Unseen { hidden: 1, first: 2, second: 0 };
    assert_eq!(translated::<_, Unseen, _>(&CompactMessagePack, &value()).unwrap(), moved);
    assert!(
        translated::<_, Unseen, _>(&Postcard, &value()).is_err(),
        "here there happen to be too few bytes"
    );
    assert_eq!(translated::<_, Unseen, _>(&Json, &value()).unwrap(), Unseen { hidden: 0, ..value() });
}
