//! What it costs to send values: each codec and layer beside the bare library, over a struct of 200 B, 5 KB and 500 KB.
//! JSON to stdout.
//!
//! `cargo bench -p larder-benches --bench travel`, or with the sizes that are wanted: `-- 5_kb`.
//!
//! - `bare`: what a program does that has no cache, `serde_json::to_vec` and `from_slice` for example; for the layers,
//!   JSON and then the compressor or cipher, with its context kept, as ours does.
//! - `larder`: `Wire::seal` and `Wire::open`: header, key, checksum and times as well.
//!
//! `ratio` is of `larder` to `bare`; `mb_per_s` counts the bytes that the bare library writes.

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use larder::{
    Cbor, Clock, Codec, CompactMessagePack, Compress, EncryptionKeys, Entry, Gzip, Json, Lz4, MessagePack,
    Postcard, Protobuf, Rkyv, SystemClock, Wire, Zstd,
};
use larder_benches::{Contender, machine, measure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::io::{Read, Write};

const ROUNDS: usize = 21;
const KEY: &str = "orders:4711";

#[derive(
    Clone,
    PartialEq,
    prost::Message,
    Serialize,
    Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
struct Order {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(string, tag = "2")]
    customer: String,
    #[prost(string, optional, tag = "3")]
    note: Option<String>,
    #[prost(message, repeated, tag = "4")]
    lines: Vec<Line>,
}

#[derive(
    Clone,
    PartialEq,
    prost::Message,
    Serialize,
    Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
struct Line {
    #[prost(string, tag = "1")]
    article: String,
    #[prost(string, tag = "2")]
    title: String,
    #[prost(uint32, tag = "3")]
    quantity: u32,
    #[prost(int64, tag = "4")]
    cents: i64,
    #[prost(double, optional, tag = "5")]
    discount: Option<f64>,
}

/// An order whose JSON has about so many bytes.
fn order(bytes: usize) -> Order {
    let line = |number: usize| {
        let number = u32::try_from(number).unwrap_or(0).wrapping_mul(2_654_435_761);
        Line {
            article: format!("A-{number:010}"),
            title: ["a chair", "a table of oak", "a lamp", "four cushions, red"][number as usize % 4].into(),
            quantity: number % 7 + 1,
            cents: i64::from(number % 100_000),
            discount: (number % 3 == 0).then_some(0.05),
        }
    };
    let mut order =
        Order { id: 4711, customer: "Ada Lovelace".into(), note: Some("ring twice".into()), lines: vec![] };
    let size = |order: &Order| bare::json(order).len();
    let a_line = {
        let lines = (0..100).map(line).collect();
        size(&Order { lines, ..order.clone() }) / 100
    };
    order.lines = (0..bytes.saturating_sub(60).div_ceil(a_line)).map(line).collect();
    order
}

/// What one does without a cache.
mod bare {
    use super::Order;

    pub(super) fn json(order: &Order) -> Vec<u8> {
        serde_json::to_vec(order).expect("it is JSON")
    }

    pub(super) fn from_json(bytes: &[u8]) -> Order {
        serde_json::from_slice(bytes).expect("it was JSON")
    }
}

struct Pair<'a> {
    name: &'a str,
    bare: [Box<dyn Fn() + 'a>; 2],
    larder: [Box<dyn Fn() + 'a>; 2],
    bytes: usize,
}

/// A codec, or a layer over JSON, beside functions that do the same without larder.
fn pair<'a, C: Codec<Order>>(
    name: &'a str,
    wire: Wire<C>,
    entry: &'a Entry<Order>,
    encode: impl Fn(&Order) -> Vec<u8> + 'a,
    decode: impl Fn(&[u8]) -> Order + 'a,
) -> Pair<'a> {
    let encoded = encode(entry.value());
    let sealed = wire.seal(KEY, entry, &SystemClock).expect("it can be sealed");
    assert_eq!(decode(&encoded), *entry.value());
    assert_eq!(wire.open(KEY, &sealed, &SystemClock).expect("it can be opened").value(), entry.value());
    let (bytes, reader) = (encoded.len(), wire.clone());
    Pair {
        name,
        bare: [
            Box::new(move || drop(std::hint::black_box(encode(entry.value())))),
            Box::new(move || drop(std::hint::black_box(decode(&encoded)))),
        ],
        larder: [
            Box::new(move || drop(std::hint::black_box(wire.seal(KEY, entry, &SystemClock)))),
            Box::new(move || drop(std::hint::black_box(reader.open(KEY, &sealed, &SystemClock)))),
        ],
        bytes,
    }
}

fn measured(pair: &Pair<'_>, operations: u32) -> Value {
    let row = |verb: usize| {
        let contenders = vec![
            Contender::new("bare", |_| (pair.bare[verb])()),
            Contender::new("larder", |_| (pair.larder[verb])()),
        ];
        let figures = measure(contenders, ROUNDS, operations);
        let (bare, larder) = (&figures[0], &figures[1]);
        let bytes = f64::from(u32::try_from(pair.bytes).unwrap_or(u32::MAX));
        let speed = |nanoseconds: f64| (bytes * 1_000.0 / nanoseconds).round();
        json!({
            "bare_ns": bare.nanoseconds.round(),
            "larder_ns": larder.nanoseconds.round(),
            "ratio": (larder.nanoseconds / bare.nanoseconds * 1_000.0).round() / 1_000.0,
            "bare_mb_per_s": speed(bare.nanoseconds),
            "larder_mb_per_s": speed(larder.nanoseconds),
            "bare_allocations": bare.allocations,
            "larder_allocations": larder.allocations,
        })
    };
    json!({ "bytes": pair.bytes, "encode": row(0), "decode": row(1) })
}

fn codecs(entry: &Entry<Order>) -> Vec<Pair<'_>> {
    let wrong = "it was encoded by the same library";
    vec![
        pair("json", Wire::new(Json), entry, bare::json, bare::from_json),
        pair(
            "message_pack",
            Wire::new(MessagePack),
            entry,
            |order| rmp_serde::to_vec_named(order).expect("it is MessagePack"),
            move |bytes| rmp_serde::from_slice(bytes).expect(wrong),
        ),
        pair(
            "compact_message_pack",
            Wire::new(CompactMessagePack),
            entry,
            |order| rmp_serde::to_vec(order).expect("it is MessagePack"),
            move |bytes| rmp_serde::from_slice(bytes).expect(wrong),
        ),
        pair(
            "postcard",
            Wire::new(Postcard),
            entry,
            |order| postcard::to_stdvec(order).expect("it is Postcard"),
            move |bytes| postcard::from_bytes(bytes).expect(wrong),
        ),
        pair("protobuf", Wire::new(Protobuf), entry, prost::Message::encode_to_vec, move |bytes| {
            prost::Message::decode(bytes).expect(wrong)
        }),
        pair(
            "cbor",
            Wire::new(Cbor),
            entry,
            |order| {
                let mut bytes = Vec::new();
                ciborium::into_writer(order, &mut bytes).expect("it is CBOR");
                bytes
            },
            move |bytes| ciborium::from_reader(bytes).expect(wrong),
        ),
        pair(
            "rkyv",
            Wire::new(Rkyv),
            entry,
            |order| rkyv::to_bytes::<rkyv::rancor::Error>(order).expect("it can be archived").into_vec(),
            move |bytes| {
                let mut aligned = rkyv::util::AlignedVec::<16>::with_capacity(bytes.len());
                aligned.extend_from_slice(bytes);
                rkyv::from_bytes::<Order, rkyv::rancor::Error>(&aligned).expect(wrong)
            },
        ),
    ]
}

fn compressed(method: impl Compress) -> Wire<Json> {
    Wire::new(Json).compressed(method)
}

fn layers(entry: &Entry<Order>) -> Vec<Pair<'_>> {
    let packer = RefCell::new(zstd::bulk::Compressor::new(3).expect("zstd has level 3"));
    let unpacker = RefCell::new(zstd::bulk::Decompressor::new().expect("there is memory"));
    let raw = bare::json(entry.value()).len();
    vec![
        pair(
            "json_zstd_3",
            compressed(Zstd::level(3).min_bytes(0)),
            entry,
            move |order| packer.borrow_mut().compress(&bare::json(order)).expect("zstd takes everything"),
            move |bytes| bare::from_json(&unpacker.borrow_mut().decompress(bytes, raw).expect("it was zstd")),
        ),
        pair(
            "json_lz4",
            compressed(Lz4::new().min_bytes(0)),
            entry,
            |order| lz4_flex::block::compress_prepend_size(&bare::json(order)),
            |bytes| bare::from_json(&lz4_flex::block::decompress_size_prepended(bytes).expect("it was LZ4")),
        ),
        pair(
            "json_gzip_6",
            compressed(Gzip::level(6).min_bytes(0)),
            entry,
            |order| {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
                encoder.write_all(&bare::json(order)).expect("a buffer takes everything");
                encoder.finish().expect("a buffer takes everything")
            },
            |bytes| {
                let mut raw = Vec::new();
                GzDecoder::new(bytes).read_to_end(&mut raw).expect("it was gzip");
                bare::from_json(&raw)
            },
        ),
        encrypted(entry),
    ]
}

fn encrypted(entry: &Entry<Order>) -> Pair<'_> {
    use chacha20poly1305::aead::AeadInOut;
    use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
    let key = [7; 32];
    let (one, two) = (XChaCha20Poly1305::new(&key.into()), XChaCha20Poly1305::new(&key.into()));
    pair(
        "json_encrypted",
        Wire::new(Json).encrypted(EncryptionKeys::new(1, key)),
        entry,
        move |order| {
            let mut nonce = [0; 24];
            getrandom::fill(&mut nonce).expect("there are random numbers");
            let mut text = bare::json(order);
            one.encrypt_in_place(&XNonce::from(nonce), KEY.as_bytes(), &mut text)
                .expect("it is short enough");
            text.extend_from_slice(&nonce);
            text
        },
        move |bytes| {
            let (text, nonce) = bytes.split_last_chunk::<24>().expect("a nonce is at the end");
            let mut text = text.to_vec();
            two.decrypt_in_place(&XNonce::from(*nonce), KEY.as_bytes(), &mut text).expect("it is authentic");
            bare::from_json(&text)
        },
    )
}

/// What a value of bytes costs, where there is no codec to speak of.
fn raw(bytes: usize, operations: u32) -> Value {
    let clock = SystemClock;
    let entry = Entry::new(Bytes::from(vec![7_u8; bytes]), clock.now());
    let wire = Wire::new(larder::Raw);
    let sealed = wire.seal(KEY, &entry, &clock).expect("it can be sealed");
    let contenders = vec![
        Contender::new("seal", |_| wire.seal(KEY, &entry, &clock)),
        Contender::new("open", |_| wire.open::<Bytes>(KEY, &sealed, &clock)),
    ];
    let figures = measure(contenders, ROUNDS, operations);
    let of =
        |at: usize| json!({ "ns": figures[at].nanoseconds.round(), "allocations": figures[at].allocations });
    json!({ "bytes": bytes, "seal": of(0), "open": of(1) })
}

fn main() {
    let mut groups = Map::new();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (name, bytes, operations) in [("200_b", 200, 20_000), ("5_kb", 5_000, 1_000), ("500_kb", 500_000, 10)]
    {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        let entry = Entry::new(order(bytes), SystemClock.now());
        let mut group = Map::new();
        for pair in codecs(&entry).into_iter().chain(layers(&entry)) {
            group.insert(pair.name.into(), measured(&pair, operations));
        }
        group.insert("raw".into(), raw(bytes, operations));
        groups.insert(name.into(), group.into());
    }
    let all = json!({ "bench": "travel", "machine": machine(), "rounds": ROUNDS, "groups": groups });
    println!("{all:#}");
}
