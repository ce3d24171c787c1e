//! Any bytes for an envelope, most of them with what makes them one: its first bytes and a right checksum.

#![no_main]

#[path = "../../crates/stores/object/tests/support/clock.rs"]
mod clock;

use allocation_counter::measure;
use bytes::Bytes;
use clock::HandClock;
use larder_codecs::{EncryptionKeys, Json, Zstd};
use larder_core::{Codec, Entry, ErrorKind, Raw, Wire, envelope};
use libfuzzer_sys::fuzz_target;
use std::fmt::Debug;
use std::time::{Duration, UNIX_EPOCH};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const KEY: &str = "users:ada";
/// Small, so that both sides of the bound are tried.
const MOST_BYTES: usize = 1 << 16;

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    let bytes = if how & 0x80 == 0 { dressed(rest) } else { Bytes::copy_from_slice(rest) };
    for length in [bytes.len().min(envelope::HEAD_BYTES), bytes.len()] {
        let head = &bytes[..length];
        assert_eq!(envelope::dead_at(head).ok(), envelope::times(head).ok().map(|times| times.dead_at));
    }
    let long = "k".repeat(200);
    let key = if how & 0x40 == 0 { KEY } else { &long };
    match how % 4 {
        0 => opens(&Wire::new(Raw), key, &bytes),
        1 => opens(&Wire::new(Raw).version(2).compressed(Zstd::level(1).min_bytes(0)), key, &bytes),
        2 => opens::<serde_json::Value, _>(&Wire::new(Json), key, &bytes),
        _ => {
            let keys = EncryptionKeys::new(1, [7; 32]);
            let wire = Wire::new(Raw).encrypted(keys).max_value_bytes(MOST_BYTES);
            if let Ok(entry) = wire.open::<Bytes>(key, &bytes, &HandClock::default()) {
                // A seed has it. Nobody guesses another tag.
                assert_eq!(entry.value()[..], b"over and over ".repeat(20));
            }
        }
    }
});

/// The bytes behind magic, version and their checksum.
fn dressed(rest: &[u8]) -> Bytes {
    let sum = xxh3_64_with_seed(rest, 1);
    [&b"\xFEL\x01"[..], &sum.to_le_bytes(), rest].concat().into()
}

/// What can be opened can be sealed, and then holds the same; it takes little memory.
fn opens<V: PartialEq + Debug, C: Codec<V>>(wire: &Wire<C>, key: &str, bytes: &Bytes) {
    let wire = wire.clone().max_value_bytes(MOST_BYTES);
    let clock = HandClock::default();
    let mut opened = None;
    let taken = measure(|| opened = wire.open(key, bytes, &clock).ok()).bytes_max;
    let most = 64 * bytes.len() + 2 * MOST_BYTES + (1 << 20);
    assert!(taken <= most as u64, "{taken} bytes of memory for {} bytes", bytes.len());
    let Some(entry) = opened else { return };

    let _: u128 = envelope::fingerprint(bytes).expect("what can be opened has a fingerprint");
    let sealed = match wire.seal(key, &entry, &clock) {
        Ok(sealed) => sealed,
        // It may have been compressed by who is better at it.
        Err(error) => return assert_eq!(error.kind(), ErrorKind::TooLarge),
    };
    let again: Entry<V> = wire.open(key, &sealed, &clock).expect("what was sealed can be opened");
    assert_eq!(again.value(), entry.value());
    assert_eq!((again.tags(), again.etag()), (entry.tags(), entry.etag()));
    // What is beyond the longest time that is written comes back as that.
    let longest = UNIX_EPOCH + Duration::from_millis((1 << 48) - 1);
    assert_eq!(again.last_modified(), entry.last_modified().map(|time| time.min(longest)));
    for time in [Entry::fresh_until, Entry::stale_until, Entry::dead_at] {
        let (again, first) = (time(&again), time(&entry));
        // What ends after all time loses a millisecond on the way.
        assert!(
            again.since(first).max(first.since(again)) <= Duration::from_millis(2),
            "{again:?}, {first:?}"
        );
    }
}
