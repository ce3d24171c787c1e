//! Lengths are what the bytes declare: they neither make room nor keep anyone busy for what is not there.

#![cfg(all(feature = "msgpack", feature = "postcard", feature = "cbor"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::{Cbor, MessagePack, Postcard};
use larder_core::{Codec, ErrorKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

/// Ten bytes that declare 2^63 elements in Postcard.
const ENDLESS: &[u8] = b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";

type Nested = Vec<Vec<Vec<Vec<Vec<Vec<u64>>>>>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Serialize, Deserialize)]
enum Tree {
    Leaf([u64; 4]),
    Both(Vec<Tree>),
}

fn refused<V: Debug>(codec: &impl Codec<V>, bytes: impl Into<Bytes>) -> String {
    let error = codec.decode(&bytes.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
    error.to_string()
}

/// The most bytes that the refusal holds at a time.
fn refusing_takes<V: Debug>(codec: &impl Codec<V>, bytes: impl Into<Bytes>) -> u64 {
    let bytes = bytes.into();
    allocation_counter::measure(|| drop(refused::<V>(codec, bytes))).bytes_max
}

const MOST: u64 = 8 * 1024;

#[test]
fn a_declared_length_in_message_pack_makes_no_room() {
    assert!(refusing_takes::<Vec<u64>>(&MessagePack, &b"\xdd\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<Vec<[u64; 16]>>(&MessagePack, &b"\xdd\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<String>(&MessagePack, &b"\xdb\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<HashMap<String, u64>>(&MessagePack, &b"\xdf\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<serde_json::Value>(&MessagePack, &b"\xc9\xff\xff\xff\xff\x01"[..]) < MOST);
    assert!(refusing_takes::<Nested>(&MessagePack, b"\xdd\xff\xff\xff\xff".repeat(6)) < MOST);
}

#[test]
fn a_declared_length_in_postcard_makes_no_room() {
    assert!(refusing_takes::<Vec<u64>>(&Postcard, ENDLESS) < MOST);
    assert!(refusing_takes::<Vec<[u64; 16]>>(&Postcard, ENDLESS) < MOST);
    assert!(refusing_takes::<String>(&Postcard, ENDLESS) < MOST);
    assert!(refusing_takes::<Bytes>(&Postcard, ENDLESS) < MOST);
    assert!(refusing_takes::<HashMap<String, u64>>(&Postcard, ENDLESS) < MOST);
    assert!(refusing_takes::<Nested>(&Postcard, ENDLESS.repeat(6)) < MOST);
}

#[test]
fn a_declared_length_in_cbor_makes_no_room() {
    // The reader has a buffer of 4 KiB, on the stack.
    assert!(refusing_takes::<Vec<u64>>(&Cbor, &b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<Vec<[u64; 16]>>(&Cbor, &b"\x9a\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<String>(&Cbor, &b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<Bytes>(&Cbor, &b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<HashMap<String, u64>>(&Cbor, &b"\xba\xff\xff\xff\xff"[..]) < MOST);
    assert!(refusing_takes::<Nested>(&Cbor, b"\x9a\xff\xff\xff\xff".repeat(6)) < MOST);
    assert!(refusing_takes::<serde_json::Value>(&Cbor, b"\x9a\xff\xff\xff\xff".repeat(6)) < MOST);
}

/// Each of a hundred levels declares what only all of the bytes could hold.
#[test]
fn lengths_of_all_levels_together_make_room_for_no_more_than_there_are_bytes() {
    let size = 100_000;
    let filled = |mut bytes: Vec<u8>| {
        bytes.resize(size, 0xC1);
        bytes
    };
    let most = 2 * (size * size_of::<Tree>()) as u64;
    assert!(refusing_takes::<Tree>(&MessagePack, filled(b"\x81\xa4Both\xdd\0\0\xff\xff".repeat(60))) < most);
    assert!(refusing_takes::<Tree>(&Postcard, filled(b"\x01\xff\xff\x03".repeat(60))) < most);
    assert!(refusing_takes::<Tree>(&Cbor, filled(b"\xa1\x64Both\x9a\0\0\xff\xff".repeat(60))) < most);
}

/// Without a bound this would take some hundred years.
#[test]
#[allow(clippy::zero_sized_map_values, reason = "what takes no bytes is the subject")]
fn endlessly_many_elements_of_no_bytes_are_an_error() {
    assert!(refused::<Vec<()>>(&Postcard, ENDLESS).contains("more elements than"));
    assert!(refused::<Vec<Unit>>(&Postcard, ENDLESS).contains("more elements than"));
    assert!(refused::<Vec<[u8; 0]>>(&Postcard, ENDLESS).contains("more elements than"));
    assert!(refused::<HashMap<(), ()>>(&Postcard, ENDLESS).contains("more elements than"));
    assert!(refused::<BTreeMap<(), ()>>(&Postcard, ENDLESS).contains("more elements than"));
    assert!(
        refused::<Option<(u8, Vec<()>)>>(&Postcard, [b"\x01\x07", ENDLESS].concat())
            .contains("more elements than")
    );
}

/// Each list of a list within the bound, and all of them together not.
#[test]
fn many_lists_of_elements_of_no_bytes_are_an_error() {
    let lists = [&b"\xd0\x86\x03"[..], &b"\xd0\x86\x03".repeat(50_000)].concat();
    assert!(refused::<Vec<Vec<()>>>(&Postcard, lists).contains("more elements than"));
}

#[test]
fn elements_of_no_bytes_are_read_up_to_65_536() {
    let units = |number| {
        let mut out = Vec::new();
        Postcard.encode(&vec![Unit; number], &mut out).unwrap();
        (out.len(), Codec::<Vec<Unit>>::decode(&Postcard, &out.into()))
    };
    assert_eq!(units(65_536).1.unwrap().len(), 65_536);
    let (length, read) = units(65_536 + 4);
    assert_eq!(length, 3);
    assert!(read.is_err());
}

/// Fields of structs and tuples are none of what is counted.
#[test]
fn as_many_elements_as_there_are_bytes_are_read() {
    fn reads<V: PartialEq>(value: &V)
    where
        Postcard: Codec<V>,
    {
        let mut out = Vec::new();
        Postcard.encode(value, &mut out).unwrap();
        assert!(&Codec::<V>::decode(&Postcard, &out.into()).unwrap() == value);
    }
    reads(&vec![(1_u8, (), Unit, [2_u8; 1], ()); 500_000]);
    reads(&vec![true; 500_000]);
    reads(&vec![vec![0_u8; 3]; 100_000]);
}

#[test]
fn room_is_made_once_where_lengths_are_honest() {
    fn blocks<C: Codec<Vec<Vec<u64>>>>(codec: &C) -> u64 {
        let rows = vec![vec![7_u64; 100]; 10];
        let mut out = Vec::new();
        codec.encode(&rows, &mut out).unwrap();
        let bytes = out.into();
        allocation_counter::measure(|| assert_eq!(codec.decode(&bytes).unwrap(), rows)).count_total
    }
    assert_eq!(blocks(&MessagePack), 11);
    assert_eq!(blocks(&Postcard), 11);
}
