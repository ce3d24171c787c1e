//! Little that claims to be, or becomes, very much: a miss and an event, and memory is bounded.

#![cfg(all(
    feature = "json",
    feature = "msgpack",
    feature = "postcard",
    feature = "protobuf",
    feature = "cbor",
    feature = "zstd",
    feature = "lz4",
    feature = "gzip"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod claims;
}

use bytes::{BufMut, Bytes};
use larder_codecs::{
    Cbor, CompactMessagePack, Compressing, Gzip, Json, Lz4, MessagePack, Postcard, Protobuf, Zstd,
};
use larder_core::{Cache, Codec, Compress, ErrorKind, Format, Raw, Result};
use larder_testkit::{FakeBytes, Recorder};
use serde::{Deserialize, Serialize};
use support::claims::Claims;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Writes bytes that nobody's codec or method wrote, in a right envelope, as somebody would who means harm.
#[derive(Clone)]
struct Planted<const ID: u8>(Bytes);

impl<const ID: u8> Format for Planted<ID> {
    const ID: u8 = ID;
}

impl<const ID: u8> Codec<Bytes> for Planted<ID> {
    fn encode(&self, _: &Bytes, out: &mut Vec<u8>) -> Result<()> {
        out.put_slice(&self.0);
        Ok(())
    }
    fn decode(&self, bytes: &Bytes) -> Result<Bytes> {
        Ok(bytes.clone())
    }
}

/// What a read of `key` from this cache meets, and the most memory it has at a time.
fn met<V, C>(cache: &Cache<str, V, FakeBytes, C>, events: &Recorder) -> (Vec<ErrorKind>, u64)
where
    V: Clone + Send + Sync + 'static,
    C: Codec<V>,
{
    let runtime = runtime();
    // So that what is made once, and kept, is not counted.
    assert!(runtime.block_on(cache.get("warm")).unwrap().is_none());
    let mut found = None;
    let taken = allocation_counter::measure(|| found = runtime.block_on(cache.get("key")).unwrap());
    assert!(found.is_none(), "it is a miss");
    (events.failures().iter().map(|failure| failure.kind).collect(), taken.bytes_max)
}

/// An envelope whose payload is `payload` by a method, and says that it becomes `raw_bytes`.
fn compressed(method: u8, payload: Vec<u8>, raw_bytes: u64) -> FakeBytes {
    let payload_bytes = payload.len();
    let store = FakeBytes::new();
    let runtime = runtime();
    // The length that is written is put right afterwards: nobody has a value that long.
    let writer = Cache::<str, Bytes, _, _>::new(store.clone()).compressed(Claims { method, payload });
    let large_bytes = payload_bytes + 100;
    runtime.block_on(writer.insert("key", vec![0; large_bytes].into())).unwrap();
    let mut bytes = store.raw("larder:key").unwrap().to_vec();
    let end = bytes.len() - payload_bytes;
    let start = end - varint(large_bytes as u64).len();
    bytes.splice(start..end, varint(raw_bytes));
    let sum = xxhash_rust::xxh3::xxh3_64_with_seed(&bytes[11..], 1);
    bytes[3..11].copy_from_slice(&sum.to_le_bytes());
    store.put_raw("larder:key", bytes);
    store
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7F {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

/// A frame of zstd that is right, and becomes ten billion zeroes: blocks of one byte and how often it comes.
fn ten_billion_zeroes() -> Vec<u8> {
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0xC0, 0x38];
    let (whole, block) = (10_000_000_000_u64, 128 << 10);
    frame.extend_from_slice(&whole.to_le_bytes());
    let blocks = whole.div_ceil(block);
    for number in 1..=blocks {
        let is_last = number == blocks;
        let size = if is_last { whole - (blocks - 1) * block } else { block };
        let header = size << 3 | 1 << 1 | u64::from(is_last);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

fn bomb(method: &dyn Compress) -> Vec<u8> {
    let mut out = Vec::new();
    method.compress(&vec![0; 1 << 20], &mut out).unwrap();
    out.truncate(1_000);
    out
}

/// What of a read is not the value: a key, an error, an event.
const BESIDES: u64 = 64 * KIB;

#[test]
fn a_kilobyte_that_claims_ten_gigabytes_or_more_is_a_miss_and_an_event_and_takes_no_memory() {
    for method in [&Zstd::level(3) as &dyn Compress, &Lz4::new(), &Gzip::level(6)] {
        for raw_bytes in [10_000_000_000, 1 << 48, (1 << 49) - 1] {
            let store = compressed(method.method(), bomb(method), raw_bytes);
            let events = Recorder::new();
            let cache = Cache::<str, Bytes, _, _>::new(store).observer(events.clone()).zstd(3);
            let (kinds, taken) = met(&cache, &events);
            assert_eq!(kinds, [ErrorKind::TooLarge], "{} says {raw_bytes}", method.name());
            assert!(taken < BESIDES, "{taken} bytes of memory");
        }
    }
}

#[test]
fn a_length_of_2_to_the_63_in_the_envelope_is_a_miss_and_an_event() {
    let store = compressed(1, bomb(&Zstd::level(3)), 1 << 63);
    let events = Recorder::new();
    let cache = Cache::<str, Bytes, _, _>::new(store).observer(events.clone()).zstd(3);
    let (kinds, taken) = met(&cache, &events);
    assert_eq!(kinds, [ErrorKind::Corrupt], "no number in an envelope is that long");
    assert!(taken < BESIDES, "{taken} bytes of memory");
}

#[test]
fn ten_billion_zeroes_that_say_they_are_fewer_take_no_more_memory_than_they_say() {
    let frame = ten_billion_zeroes();
    for says in [5_000, MIB, 64 * MIB] {
        let store = compressed(1, frame.clone(), says);
        let events = Recorder::new();
        let cache = Cache::<str, Bytes, _, _>::new(store).observer(events.clone()).zstd(3);
        let (kinds, taken) = met(&cache, &events);
        assert_eq!(kinds, [ErrorKind::Corrupt], "says {says}");
        assert!(taken < says + BESIDES, "{taken} bytes of memory for {says}");
    }
}

#[test]
fn where_larger_values_are_allowed_a_few_bytes_still_cannot_become_any_number() {
    for method in [&Zstd::level(3) as &dyn Compress, &Lz4::new(), &Gzip::level(6)] {
        let store = compressed(method.method(), bomb(method), 10_000_000_000);
        let events = Recorder::new();
        let cache = Cache::<str, Bytes, _, _>::new(store).observer(events.clone()).zstd(3);
        let (kinds, taken) = met(&cache.max_value_bytes(usize::MAX), &events);
        assert_eq!(kinds, [ErrorKind::Corrupt], "{}", method.name());
        assert!(taken < BESIDES, "{taken} bytes of memory");
    }
}

/// Nests by a sequence, which every format can; by itself, which only some can.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Tree {
    Many(Vec<Tree>),
    Boxed(Box<Tree>),
}

#[derive(Clone, PartialEq, prost::Message)]
struct Nest {
    #[prost(message, optional, boxed, tag = "1")]
    inner: Option<Box<Nest>>,
}

/// What is read of `payload` in the envelope of the codec with this number.
fn planted<const ID: u8, V, C>(codec: C, payload: Vec<u8>) -> (Vec<ErrorKind>, u64)
where
    V: Clone + Send + Sync + 'static,
    C: Codec<V>,
{
    let (store, events) = (FakeBytes::new(), Recorder::new());
    let writer: Cache<str, Bytes, _, _> = Cache::new(store.clone()).codec(Planted::<ID>(payload.into()));
    let runtime = runtime();
    runtime.block_on(writer.insert("key", Bytes::new())).unwrap();
    let cache: Cache<str, V, _, C> = Cache::new(store).codec(codec).observer(events.clone());
    met(&cache, &events)
}

#[test]
fn a_hundred_thousand_levels_are_a_miss_and_an_event_by_every_codec() {
    let deep = |level: &[u8]| level.repeat(100_000);
    let read = [
        planted::<1, Tree, _>(Json, deep(br#"{"Boxed":"#)),
        planted::<1, serde_json::Value, _>(Json, deep(b"[")),
        planted::<2, Tree, _>(MessagePack, deep(b"\x81\xa5Boxed")),
        planted::<3, Tree, _>(CompactMessagePack, deep(b"\x81\xa5Boxed")),
        planted::<4, Tree, _>(Postcard, deep(b"\x01")),
        planted::<4, Tree, _>(Postcard, deep(b"\x00\x01")),
        planted::<5, Nest, _>(Protobuf, deep(b"\x0a\x7f")),
        planted::<6, Tree, _>(Cbor, deep(b"\xa1\x65Boxed")),
        planted::<6, serde_json::Value, _>(Cbor, deep(b"\x81")),
    ];
    for (number, (kinds, taken)) in read.into_iter().enumerate() {
        assert_eq!(kinds, [ErrorKind::Codec], "number {number}");
        assert!(taken < MIB, "number {number}: {taken} bytes of memory");
    }
}

/// Messages of which each holds the next one whole, as an encoder would write them.
#[test]
fn a_hundred_thousand_messages_in_one_another_are_a_miss_and_an_event() {
    let mut back_to_front = Vec::new();
    for _ in 0..100_000 {
        let length = varint(back_to_front.len() as u64);
        back_to_front.extend(length.iter().rev());
        back_to_front.push(0x0A);
    }
    back_to_front.reverse();
    let (kinds, taken) = planted::<5, Nest, _>(Protobuf, back_to_front);
    assert_eq!(kinds, [ErrorKind::Codec]);
    assert!(taken < MIB, "{taken} bytes of memory");
}

#[test]
fn a_declared_length_of_2_to_the_63_is_a_miss_and_an_event_by_every_codec() {
    let text = |head: &[u8]| [head, b"ada"].concat();
    let postcard = [varint(1 << 63), b"ada".to_vec()].concat();
    let field = [vec![0x0A], varint(1 << 63), b"ada".to_vec()].concat();
    let read = [
        planted::<2, String, _>(MessagePack, text(b"\xdb\xff\xff\xff\xff")),
        planted::<2, Vec<u64>, _>(MessagePack, text(b"\xdd\xff\xff\xff\xff")),
        planted::<3, Vec<u64>, _>(CompactMessagePack, text(b"\xdd\xff\xff\xff\xff")),
        planted::<4, String, _>(Postcard, postcard.clone()),
        planted::<4, Vec<u64>, _>(Postcard, postcard.clone()),
        planted::<4, Vec<()>, _>(Postcard, postcard),
        planted::<5, Nest, _>(Protobuf, field),
        planted::<6, String, _>(Cbor, text(b"\x7b\x80\x00\x00\x00\x00\x00\x00\x00")),
        planted::<6, Vec<u64>, _>(Cbor, text(b"\x9b\x80\x00\x00\x00\x00\x00\x00\x00")),
        planted::<6, Vec<()>, _>(Cbor, text(b"\x9b\x80\x00\x00\x00\x00\x00\x00\x00")),
    ];
    for (number, (kinds, taken)) in read.into_iter().enumerate() {
        assert_eq!(kinds, [ErrorKind::Codec], "number {number}");
        assert!(taken < BESIDES, "number {number}: {taken} bytes of memory");
    }
}

#[test]
fn a_planted_value_that_is_right_is_read() {
    let (store, runtime) = (FakeBytes::new(), runtime());
    let writer: Cache<str, Bytes, _, _> = Cache::new(store.clone()).codec(Planted::<1>("36".into()));
    runtime.block_on(writer.insert("key", Bytes::new())).unwrap();
    let reader: Cache<str, u32, _, _> = Cache::new(store).codec(Json);
    assert_eq!(runtime.block_on(reader.get("key")).unwrap(), Some(36));

    let mut packed = Vec::new();
    Zstd::level(3).compress(&[7; 5_000], &mut packed).unwrap();
    let store = compressed(1, packed, 5_000);
    let reader: Cache<str, Bytes, _, _> = Cache::new(store).codec(Raw).zstd(3);
    assert_eq!(runtime.block_on(reader.get("key")).unwrap().unwrap().len(), 5_000);
}
