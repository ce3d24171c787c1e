//! Whatever the value: it comes back through every codec and layer, and no flipped bit goes unnoticed.

#![cfg(all(
    feature = "json",
    feature = "msgpack",
    feature = "postcard",
    feature = "protobuf",
    feature = "cbor",
    feature = "zstd",
    feature = "lz4",
    feature = "gzip",
    feature = "encryption"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::{
    Cbor, CompactMessagePack, EncryptionKeys, Gzip, Json, Lz4, MessagePack, Postcard, Protobuf, Zstd,
};
use larder_core::{Clock, Codec, Entry, Raw, Shared, SystemClock, Wire};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    Flag(bool),
    Whole(i128),
    Ratio(f64),
    Letter(char),
    Text(String),
    Bytes(Vec<u8>),
    Pair(Box<Shape>, Option<u64>),
    List(Vec<Shape>),
    Map(BTreeMap<String, Shape>),
    Named { name: Option<String>, inner: Box<Shape> },
}

fn shapes() -> impl Strategy<Value = Shape> {
    let ratio = proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO;
    let leaf = prop_oneof![
        Just(Shape::Nothing),
        any::<bool>().prop_map(Shape::Flag),
        any::<i128>().prop_map(Shape::Whole),
        ratio.prop_map(Shape::Ratio),
        any::<char>().prop_map(Shape::Letter),
        ".{0,40}".prop_map(Shape::Text),
        vec(any::<u8>(), 0..80).prop_map(Shape::Bytes),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (boxed(), any::<Option<u64>>()).prop_map(|(left, right)| Shape::Pair(left, right)),
            vec(inner.clone(), 0..6).prop_map(Shape::List),
            btree_map(".{0,8}", inner.clone(), 0..6).prop_map(Shape::Map),
            (any::<Option<String>>(), boxed()).prop_map(|(name, inner)| Shape::Named { name, inner }),
        ]
    })
}

#[derive(Clone, PartialEq, prost::Message)]
struct Person {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(sint64, optional, tag = "2")]
    born: Option<i64>,
    #[prost(message, repeated, tag = "3")]
    friends: Vec<Person>,
}

fn people() -> impl Strategy<Value = Person> {
    let person = |friends| {
        (".{0,20}", any::<Option<i64>>(), friends).prop_map(|(name, born, friends)| Person {
            name,
            born,
            friends,
        })
    };
    let alone = person(Just(Vec::new()).boxed());
    alone.prop_recursive(3, 16, 4, move |inner| person(vec(inner, 0..4).boxed()))
}

/// The codec alone, and in every form.
fn wires<C: Codec<V>, V>(codec: C) -> Vec<Wire<C>> {
    let plain = Wire::new(codec).version(3);
    let keys = || EncryptionKeys::new(2, [9; 32]).former(1, [7; 32]);
    let zstd = || Zstd::level(1).min_bytes(0);
    vec![
        plain.clone(),
        plain.clone().compressed(zstd()),
        plain.clone().compressed(Lz4::new().min_bytes(0)),
        plain.clone().compressed(Gzip::level(1).min_bytes(0)),
        plain.clone().encrypted(keys()),
        plain.compressed(zstd()).encrypted(keys()),
    ]
}

fn comes_back<C: Codec<V>, V: Clone + PartialEq + Debug>(codec: C, key: &str, value: &V) {
    let entry = Entry::new(value.clone(), SystemClock.now());
    for wire in wires(codec) {
        let bytes = wire.seal(key, &entry, &SystemClock).unwrap();
        assert_eq!(wire.open(key, &bytes, &SystemClock).unwrap().value(), value, "{wire:?}");
    }
}

/// Flips a bit of the header and one of the rest, each by its place.
fn notices<C: Codec<V>, V: Clone + Debug>(codec: C, value: &V, places: [Index; 2]) {
    let entry = Entry::new(value.clone(), SystemClock.now());
    for wire in wires(codec) {
        let bytes = wire.seal("k", &entry, &SystemClock).unwrap();
        for bit in [places[0].index(22 * 8), places[1].index(bytes.len() * 8)] {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let opened = wire.open::<V>("k", &flipped.into(), &SystemClock);
            assert!(opened.is_err(), "bit {bit} of {wire:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_comes_back_through_every_codec_and_layer(shape in shapes(), key in ".{0,150}") {
        comes_back(Json, &key, &shape);
        comes_back(MessagePack, &key, &shape);
        comes_back(CompactMessagePack, &key, &shape);
        comes_back(Postcard, &key, &shape);
        comes_back(Cbor, &key, &shape);
        comes_back(Shared(Json), &key, &Arc::new(shape));
    }

    #[test]
    fn every_message_comes_back_through_every_layer(person in people(), key in ".{0,150}") {
        comes_back(Protobuf, &key, &person);
    }

    #[test]
    fn all_bytes_come_back_through_every_layer(bytes in vec(any::<u8>(), 0..3_000), key in ".{0,150}") {
        comes_back(Raw, &key, &Bytes::from(bytes));
    }

    #[test]
    fn any_flipped_bit_is_noticed(shape in shapes(), person in people(), places: [Index; 2]) {
        notices(Json, &shape, places);
        notices(MessagePack, &shape, places);
        notices(CompactMessagePack, &shape, places);
        notices(Postcard, &shape, places);
        notices(Cbor, &shape, places);
        notices(Protobuf, &person, places);
        notices(Raw, &Bytes::from(person.name), places);
    }
}
