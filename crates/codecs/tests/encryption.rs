//! Encrypted values: unreadable, and bound to their place.

#![cfg(all(feature = "encryption", feature = "zstd"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::{EncryptionKeys, Zstd};
use larder_core::{Cache, Clock, Entry, Error, ErrorKind, Raw, Result, SystemClock, Wire, envelope};
use larder_testkit::{FakeBytes, MockClock, Recorder};
use std::time::Duration;

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [9; 32];

fn wire(keys: EncryptionKeys) -> Wire<Raw> {
    Wire::new(Raw).encrypted(keys)
}

fn sealed(wire: &Wire<Raw>, key: &str) -> Bytes {
    wire.seal(key, &Entry::new(Bytes::from("the secret"), SystemClock.now()), &SystemClock).unwrap()
}

fn opened(wire: &Wire<Raw>, key: &str, bytes: &Bytes) -> Result<Bytes> {
    wire.open(key, bytes, &SystemClock).map(Entry::into_value)
}

fn corrupt(result: Result<Bytes>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    error
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn nothing_of_the_value_is_readable_and_no_two_envelopes_are_alike() {
    let wire = wire(EncryptionKeys::new(1, NEW));
    let (one, two) = (sealed(&wire, "users:ada"), sealed(&wire, "users:ada"));
    assert!(!contains(&one, b"the secret") && !contains(&one, b"secret"));
    assert_ne!(one, two);
    assert_eq!(opened(&wire, "users:ada", &one).unwrap(), "the secret");
    assert_eq!(opened(&wire, "users:ada", &two).unwrap(), "the secret");
}

#[test]
fn a_former_key_decrypts_and_the_first_one_encrypts() {
    let old = wire(EncryptionKeys::new(1, OLD));
    let both = wire(EncryptionKeys::new(2, NEW).former(1, OLD));
    let new = wire(EncryptionKeys::new(2, NEW));

    assert_eq!(opened(&both, "k", &sealed(&old, "k")).unwrap(), "the secret");
    assert_eq!(opened(&new, "k", &sealed(&both, "k")).unwrap(), "the secret");
    assert!(
        corrupt(opened(&old, "k", &sealed(&both, "k")))
            .to_string()
            .contains("with key 2, and there is only 1")
    );
    assert!(
        corrupt(opened(&new, "k", &sealed(&old, "k")))
            .to_string()
            .contains("with key 1, and there is only 2")
    );
}

#[test]
fn another_key_of_the_same_number_does_not_decrypt() {
    let other = wire(EncryptionKeys::new(1, NEW));
    corrupt(opened(&other, "k", &sealed(&wire(EncryptionKeys::new(1, OLD)), "k")));
}

/// The bytes with a checksum that is right, as somebody would make them who means harm.
fn with_checksum(mut bytes: Vec<u8>) -> Bytes {
    let sum = xxhash_rust::xxh3::xxh3_64_with_seed(&bytes[11..], 1);
    bytes[3..11].copy_from_slice(&sum.to_le_bytes());
    bytes.into()
}

#[test]
fn no_bit_can_be_changed_though_the_checksum_is_made_right() {
    let wire = wire(EncryptionKeys::new(1, NEW));
    let bytes = sealed(&wire, "users:ada");
    for bit in 11 * 8..bytes.len() * 8 {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(opened(&wire, "users:ada", &with_checksum(changed)).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        let cut = bytes[..length].to_vec();
        let cut = if length < 11 { cut.into() } else { with_checksum(cut) };
        assert!(opened(&wire, "users:ada", &cut).is_err(), "cut at {length}");
    }
}

/// A thief who can write the store gives ada's page to bob: the key in the header is changed, and its checksum.
#[test]
fn a_value_cannot_be_put_under_another_key_or_namespace() {
    let wire = wire(EncryptionKeys::new(1, NEW));
    let long = "k".repeat(1_000);
    for (from, to) in
        [("users:ada", "users:bob"), ("users:ada", "admin:ada"), (&long, &long.replace('k', "l"))]
    {
        let bytes = sealed(&wire, from);
        assert!(opened(&wire, to, &bytes).is_err());
        let theirs = sealed(&wire, to);
        // The header of the one, with the payload of the other.
        let payload = bytes.len() - (4 + 24 + "the secret".len() + 16);
        let swapped = [&theirs[..payload], &bytes[payload..]].concat();
        assert!(corrupt(opened(&wire, to, &with_checksum(swapped))).to_string().contains("changed"));
    }
}

#[test]
fn a_life_cannot_be_prolonged() {
    let (wire, clock) = (wire(EncryptionKeys::new(1, NEW)), MockClock::new());
    let ttl = |seconds| {
        let entry =
            Entry::new(Bytes::from("the secret"), clock.now()).fresh_for(Duration::from_secs(seconds));
        wire.seal("k", &entry, &clock).unwrap()
    };
    let (short, long) = (ttl(60), ttl(61));
    assert!(envelope::dead_at(&short).unwrap() < envelope::dead_at(&long).unwrap());
    let payload = short.len() - (4 + 24 + "the secret".len() + 16);
    let prolonged = with_checksum([&long[..payload], &short[payload..]].concat());
    corrupt(wire.open("k", &prolonged, &clock).map(Entry::into_value));
}

#[tokio::test]
async fn what_is_not_encrypted_is_a_miss_and_an_event_to_who_encrypts_and_the_other_way_round() {
    let (store, events) = (FakeBytes::new(), Recorder::new());
    let plain = Cache::<str, Bytes, _, _>::new(store.clone()).observer(events.clone());
    let secret = plain.clone().encrypted(EncryptionKeys::new(1, NEW));

    plain.insert("planted", "by whoever".into()).await.unwrap();
    secret.insert("ours", "the secret".into()).await.unwrap();

    assert_eq!(secret.get("planted").await.unwrap(), None);
    assert_eq!(plain.get("ours").await.unwrap(), None);
    let kinds: Vec<_> = events.failures().iter().map(|failure| failure.kind).collect();
    assert_eq!(kinds, [ErrorKind::Corrupt; 2]);
    assert_eq!(secret.get("ours").await.unwrap(), Some("the secret".into()));
}

#[tokio::test]
async fn values_are_compressed_before_they_are_encrypted_whatever_is_said_first() {
    let page = Bytes::from("over and over ".repeat(1_000));
    let keys = || EncryptionKeys::new(1, NEW);
    let (one, two) = (FakeBytes::new(), FakeBytes::new());
    let first = Cache::<str, Bytes, _, _>::new(one.clone()).encrypted(keys()).compressed(Zstd::level(3));
    let second = Cache::<str, Bytes, _, _>::new(two.clone()).compressed(Zstd::level(3)).encrypted(keys());

    for (cache, store) in [(&first, &one), (&second, &two)] {
        cache.insert("k", page.clone()).await.unwrap();
        assert!(store.raw("larder:k").unwrap().len() < 200);
        assert_eq!(cache.get("k").await.unwrap(), Some(page.clone()));
    }
    assert!(format!("{first:?}").contains("Raw, zstd, encrypted"));
}

#[test]
fn keys_are_read_from_text_and_a_wrong_one_is_not_shown() {
    let digits = "0A".repeat(32);
    let keys: EncryptionKeys = format!(" 2:{digits}, 1:{}", "07".repeat(32)).parse().unwrap();
    let old = wire(EncryptionKeys::new(1, OLD));
    assert_eq!(opened(&wire(keys), "k", &sealed(&old, "k")).unwrap(), "the secret");

    let short = &digits[1..];
    for wrong in [
        String::new(),
        digits.clone(),
        format!("x:{digits}"),
        format!("-1:{digits}"),
        format!("4294967296:{digits}"),
        format!("1:{short}"),
        format!("1:{short}g"),
        format!("1:{short}é"),
        format!("1:+{short}"),
        format!("1:{digits},1:{digits}"),
        format!("1:{digits},"),
    ] {
        let error = wrong.parse::<EncryptionKeys>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{wrong}");
        assert!(!format!("{error} {error:?}").contains("0A0A"), "{error}");
    }
}

#[test]
fn debug_shows_no_key() {
    let keys = EncryptionKeys::new(2, [0xAB; 32]).former(1, [0xCD; 32]);
    assert_eq!(format!("{keys:?}"), "EncryptionKeys(encrypts with 2, decrypts 2, 1)");
}

#[test]
#[should_panic(expected = "there is a key with number 2 already")]
fn one_number_for_two_keys_is_refused() {
    let _ = EncryptionKeys::new(2, NEW).former(2, OLD);
}
