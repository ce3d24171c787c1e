//! Compressed values: smaller, bounded, and read whichever method wrote them.

#![cfg(all(feature = "zstd", feature = "lz4", feature = "gzip"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod claims;
}

use bytes::{BufMut, Bytes};
use larder_codecs::{Compressing, Gzip, Lz4, Zstd};
use larder_core::{Cache, Clock, Compress, Entry, ErrorKind, Raw, Result, SystemClock, Wire};
use larder_testkit::{FakeBytes, Recorder};
use support::claims::Claims;

fn methods() -> [(&'static str, Box<dyn Compress>); 3] {
    [("zstd", Box::new(Zstd::level(3))), ("lz4", Box::new(Lz4::new())), ("gzip", Box::new(Gzip::level(6)))]
}

fn text(bytes: usize) -> Bytes {
    "a page with words that come again ".repeat(bytes / 34 + 1).into_bytes()[..bytes].to_vec().into()
}

/// Numbers that nothing makes smaller.
fn noise(bytes: usize) -> Bytes {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}

fn entry(value: Bytes) -> Entry<Bytes> {
    Entry::new(value, SystemClock.now())
}

fn sealed(wire: &Wire<Raw>, value: &Bytes) -> Bytes {
    wire.seal("k", &entry(value.clone()), &SystemClock).unwrap()
}

fn opened(wire: &Wire<Raw>, bytes: &Bytes) -> Result<Bytes> {
    wire.open("k", bytes, &SystemClock).map(Entry::into_value)
}

fn wires() -> [(&'static str, Wire<Raw>); 3] {
    methods().map(|(name, method)| (name, Wire::new(Raw).compressed(method)))
}

#[test]
fn values_from_the_bound_on_become_smaller_and_come_back() {
    for (name, wire) in wires() {
        for (bytes, becomes_smaller) in
            [(0, false), (1, false), (1_023, false), (1_024, true), (500_000, true)]
        {
            let value = text(bytes);
            let sealed = sealed(&wire, &value);
            assert_eq!(sealed.len() < bytes, becomes_smaller, "{name}, {bytes} bytes are {}", sealed.len());
            assert_eq!(opened(&wire, &sealed).unwrap(), value, "{name}, {bytes} bytes");
        }
    }
}

#[test]
fn what_does_not_become_smaller_is_stored_as_it_is() {
    let plain = Wire::new(Raw);
    for (name, wire) in wires() {
        let value = noise(10_000);
        let sealed = sealed(&wire, &value);
        assert_eq!(opened(&wire, &sealed).unwrap(), value, "{name}");
        assert_eq!(opened(&plain, &sealed).unwrap(), value, "{name} is not needed to read it");
    }
}

#[test]
fn each_method_reads_what_the_others_and_none_wrote() {
    let value = text(5_000);
    let plain = sealed(&Wire::new(Raw), &value);
    for (name, reader) in wires() {
        assert_eq!(opened(&reader, &plain).unwrap(), value, "{name} reads plain");
        for (other, writer) in wires() {
            assert_eq!(opened(&reader, &sealed(&writer, &value)).unwrap(), value, "{name} reads {other}");
        }
    }
}

#[test]
fn a_cache_without_compression_says_what_is_missing() {
    for (name, wire) in wires() {
        let error = opened(&Wire::new(Raw), &sealed(&wire, &text(5_000))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec, "{name}");
        assert!(error.to_string().contains(".compressed(..)"), "{error}");
    }
}

#[test]
fn the_smallest_size_can_be_set() {
    let wire = Wire::new(Raw).compressed(Zstd::level(19).min_bytes(10));
    assert!(sealed(&wire, &text(500)).len() < 200);
    let off = Wire::new(Raw).compressed(Gzip::level(9).min_bytes(usize::MAX));
    assert!(sealed(&off, &text(5_000)).len() > 5_000);
    assert_eq!(opened(&off, &sealed(&wire, &text(5_000))).unwrap(), text(5_000));
}

#[tokio::test]
async fn the_short_forms_compress_and_the_last_word_counts() {
    let store = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(store.clone()).zstd(3).gzip(6).lz4();
    cache.insert("k", text(5_000)).await.unwrap();
    assert!(store.raw("larder:k").unwrap().len() < 500);
    assert_eq!(cache.get("k").await.unwrap(), Some(text(5_000)));
    assert_eq!(format!("{cache:?}"), "Cache (unnamed)\n└ L1 FakeBytes, Raw, lz4, namespace larder");
}

#[test]
fn levels_that_are_none_are_refused_when_they_are_said() {
    fn refused<T>(make: fn() -> T) -> bool {
        std::panic::catch_unwind(make).is_err()
    }
    assert!(refused(|| Zstd::level(23)) && refused(|| Zstd::level(0)) && !refused(|| Zstd::level(-7)));
    assert!(refused(|| Gzip::level(0)) && refused(|| Gzip::level(10)) && !refused(|| Gzip::level(9)));
}

/// The envelope of a payload that claims to become `raw_bytes` by the method with this number.
fn claims(method: u8, payload: Vec<u8>, raw_bytes: usize) -> Bytes {
    sealed(&Wire::new(Raw).compressed(Claims { method, payload }), &vec![0; raw_bytes].into())
}

fn compressed(method: &dyn Compress, raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    method.compress(raw, &mut out).unwrap();
    out
}

#[test]
fn a_payload_of_another_length_than_it_says_or_a_damaged_one_is_an_error() {
    for (name, method) in methods() {
        let right = compressed(&*method, &text(5_000));
        let number = method.method();
        let reader = Wire::new(Raw).compressed(method);
        assert!(opened(&reader, &claims(number, right.clone(), 5_000)).is_ok(), "{name}");
        for raw_bytes in [4_999, 5_001, 900, 20_000] {
            let error = opened(&reader, &claims(number, right.clone(), raw_bytes)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name} says {raw_bytes}");
        }
        for length in 0..right.len() {
            assert!(
                opened(&reader, &claims(number, right[..length].to_vec(), 5_000)).is_err(),
                "{name} cut at {length}"
            );
        }
        let more = [&right[..], b"x"].concat();
        assert!(opened(&reader, &claims(number, more, 5_000)).is_err(), "{name} with a byte after its end");
    }
}

#[test]
fn a_method_that_nobody_knows_is_an_error() {
    for method in 4..16 {
        let bytes = claims(method, vec![1; 100], 2_000);
        for (_, wire) in wires() {
            assert_eq!(opened(&wire, &bytes).unwrap_err().kind(), ErrorKind::Codec);
        }
    }
}

/// Keeps values as they are, and gives back what it likes.
struct Liar;

impl Compress for Liar {
    fn method(&self) -> u8 {
        15
    }
    fn name(&self) -> &'static str {
        "liar"
    }
    fn compress(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.put_slice(&raw[1_000..]);
        Ok(())
    }
    fn decompress(&self, _: u8, compressed: &[u8], _: usize) -> Result<Bytes> {
        Ok(Bytes::copy_from_slice(compressed))
    }
}

#[test]
fn a_method_that_gives_back_something_of_another_length_is_an_error() {
    let wire = Wire::new(Raw).compressed(Liar);
    let error = opened(&wire, &sealed(&wire, &text(2_000))).unwrap_err();
    assert!(error.to_string().contains("not as long as they say"), "{error}");
}

#[tokio::test]
async fn what_would_be_too_large_to_read_is_not_written() {
    let store = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(store.clone()).zstd(3).max_value_bytes(50_000);
    cache.insert("k", text(50_000)).await.unwrap();
    assert_eq!(cache.get("k").await.unwrap(), Some(text(50_000)));
    let error = cache.insert("k", text(50_001)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(store.raw("larder:k").is_none(), "nor does the older value stay");
}

#[tokio::test]
async fn what_would_be_too_large_is_a_miss_and_an_event() {
    let (store, events) = (FakeBytes::new(), Recorder::new());
    let cache = Cache::<str, Bytes, _, _>::new(store.clone()).observer(events.clone()).zstd(3);
    cache.insert("k", text(100_000)).await.unwrap();
    let small = cache.clone().max_value_bytes(50_000);
    assert_eq!(small.get("k").await.unwrap(), None);
    assert_eq!(events.failures()[0].kind, ErrorKind::TooLarge);
    assert_eq!(cache.get("k").await.unwrap(), Some(text(100_000)));
}
