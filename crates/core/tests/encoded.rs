//! Promise 7: bytes from outside are not trusted.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Cache, Codec, Error, ErrorKind, Format, Operation, Result};
use larder_testkit::{FakeBytes, MockClock, Recorder};
use std::time::{Duration, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

struct Damaged {
    store: FakeBytes,
    events: Recorder,
    cache: Cache<str, Bytes>,
}

async fn cache_with_two_entries() -> (Damaged, Bytes) {
    let (store, events) = (FakeBytes::new(), Recorder::new());
    let cache =
        Cache::new(store.clone()).observer(events.clone()).clock(MockClock::new()).ttl(60 * SECOND).boxed();
    cache.insert("ada", "countess".into()).await.unwrap();
    cache.insert("bob", "builder".into()).await.unwrap();
    let bytes = store.raw("larder:ada").unwrap();
    (Damaged { store, events, cache }, bytes)
}

impl Damaged {
    /// What is under the key is a miss and an event, its neighbour is unharmed, and a load puts it right.
    async fn assert_is_a_miss(&self, bytes: impl Into<Bytes>, kind: ErrorKind, what: &str) {
        self.store.put_raw("larder:ada", bytes);
        let before = self.events.failures().len();

        assert_eq!(self.cache.get("ada").await.unwrap(), None, "{what}");

        let failures = self.events.failures();
        assert_eq!(failures.len(), before + 1, "{what}");
        assert_eq!((failures[before].operation, failures[before].kind), (Operation::Read, kind), "{what}");
        assert_eq!(self.cache.get("bob").await.unwrap(), Some("builder".into()), "{what}");
        let loaded = self.cache.get_or_load("ada", async || Ok::<_, Error>("again".into())).await;
        assert_eq!(loaded.unwrap(), "again", "{what}");
        assert_eq!(self.cache.get("ada").await.unwrap(), Some("again".into()), "{what}");
    }
}

#[tokio::test]
async fn bytes_cut_anywhere_are_a_miss_and_an_event() {
    let (damaged, bytes) = cache_with_two_entries().await;
    for length in 0..bytes.len() {
        let what = format!("cut at {length}");
        damaged.assert_is_a_miss(bytes.slice(..length), ErrorKind::Corrupt, &what).await;
    }
}

#[tokio::test]
async fn any_flipped_bit_is_a_miss_and_an_event() {
    let (damaged, bytes) = cache_with_two_entries().await;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        damaged.assert_is_a_miss(flipped, ErrorKind::Corrupt, &format!("bit {bit}")).await;
    }
}

#[tokio::test]
async fn foreign_bytes_and_those_of_another_key_are_a_miss_and_an_event() {
    let (damaged, bytes) = cache_with_two_entries().await;
    damaged.assert_is_a_miss("{\"json\":true}", ErrorKind::Corrupt, "json").await;
    damaged.assert_is_a_miss(vec![0xFE; 1_000], ErrorKind::Corrupt, "noise").await;
    let bob = damaged.store.raw("larder:bob").unwrap();
    damaged.assert_is_a_miss(bob, ErrorKind::Corrupt, "another key's").await;
    let mut newer = bytes.to_vec();
    newer[2] = 2;
    damaged.assert_is_a_miss(newer, ErrorKind::Corrupt, "a newer version").await;
}

#[tokio::test]
async fn values_of_another_codec_or_of_another_shape_are_a_miss_and_an_event() {
    struct Number;
    impl Format for Number {
        const ID: u8 = 99;
    }
    impl Codec<u8> for Number {
        fn encode(&self, value: &u8, out: &mut Vec<u8>) -> Result<()> {
            out.extend_from_slice(&[*value]);
            Ok(())
        }
        fn decode(&self, bytes: &Bytes) -> Result<u8> {
            match bytes[..] {
                [value] if value < 200 => Ok(value),
                _ => Err(Error::new(ErrorKind::Codec, "not a small number")),
            }
        }
    }
    let (store, events) = (FakeBytes::new(), Recorder::new());
    let texts = Cache::<str, Bytes, _, _>::new(store.clone());
    let numbers = texts.clone().observer(events.clone()).codec::<u8, _>(Number);

    texts.insert("ada", "7".into()).await.unwrap();
    assert_eq!(numbers.get("ada").await.unwrap(), None);
    numbers.insert("ada", 250).await.unwrap();
    assert_eq!(numbers.get("ada").await.unwrap(), None);
    numbers.insert("ada", 7).await.unwrap();
    assert_eq!(numbers.get("ada").await.unwrap(), Some(7));

    let kinds: Vec<_> = events.failures().into_iter().map(|failure| failure.kind).collect();
    assert_eq!(kinds, [ErrorKind::Codec, ErrorKind::Codec]);
}

#[tokio::test]
async fn a_value_that_is_too_large_is_refused_both_ways_and_leaves_no_older_one() {
    let (store, events) = (FakeBytes::new(), Recorder::new());
    let large = Cache::<str, Bytes, _, _>::new(store.clone());
    let small = large.clone().max_value_bytes(200).observer(events.clone());
    small.insert("ada", "countess".into()).await.unwrap();

    let error = small.insert("ada", vec![0; 500].into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(store.keys(), Vec::<String>::new());
    let loaded = small.get_or_load("ada", async || Ok::<_, Error>(vec![0; 500].into())).await;
    assert_eq!(loaded.unwrap().len(), 500, "a computed value is never lost");

    large.insert("ada", vec![0; 500].into()).await.unwrap();
    assert_eq!(small.get("ada").await.unwrap(), None);
    assert_eq!(events.failures().len(), 3);
    assert!(events.failures().iter().all(|failure| failure.kind == ErrorKind::TooLarge));
}

#[tokio::test]
async fn the_store_is_told_when_the_value_is_of_no_more_use() {
    let (store, clock) = (FakeBytes::new(), MockClock::new());
    clock.set_wall(UNIX_EPOCH + 1_000 * SECOND);
    let cache = Cache::<str, Bytes, _, _>::new(store.clone()).clock(clock);
    cache.insert("eternal", "!".into()).await.unwrap();
    let cache = cache.ttl(60 * SECOND).stale(30 * SECOND);
    cache.insert("ada", "countess".into()).await.unwrap();

    assert_eq!(store.expires_at("larder:eternal"), None);
    assert_eq!(store.expires_at("larder:ada"), Some(UNIX_EPOCH + 1_090 * SECOND));
}

#[tokio::test]
async fn another_process_whose_wall_clock_is_wrong_serves_nothing_for_long() {
    let store = FakeBytes::new();
    let (here, there) = (MockClock::new(), MockClock::new());
    let cache = |clock: &MockClock| {
        Cache::<str, Bytes, _, _>::new(store.clone()).ttl(60 * SECOND).clock(clock.clone())
    };
    cache(&here).insert("ada", "countess".into()).await.unwrap();
    let wall = larder_core::Clock::wall(&here);

    // Some seconds ahead of or behind the writer: as many seconds of life are lost.
    for wrong in [wall - 5 * SECOND, wall + 5 * SECOND] {
        there.set_wall(wrong);
        assert_eq!(cache(&there).lookup("ada").await.unwrap().unwrap().ttl_left(), Some(55 * SECOND));
    }
    // Hours: nothing is served, now or later.
    for wrong in [wall - 3600 * SECOND, wall + 3600 * SECOND] {
        there.set_wall(wrong);
        assert_eq!(cache(&there).get("ada").await.unwrap(), None);
    }
    // Behind: at most twice its life in all.
    there.set_wall(wall - 50 * SECOND);
    there.advance(120 * SECOND);
    assert_eq!(cache(&there).get("ada").await.unwrap(), None);
}

/// What can go wrong in a user's codec.
#[derive(Clone, Copy)]
enum Wild {
    PanicsOnDecode,
    PanicsOnEncode,
    ClearsTheBuffer,
}

impl Format for Wild {
    const ID: u8 = 97;
}

impl Codec<u32> for Wild {
    fn encode(&self, value: &u32, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Wild::PanicsOnDecode => out.extend_from_slice(&value.to_le_bytes()),
            Wild::PanicsOnEncode => panic!("cannot encode"),
            Wild::ClearsTheBuffer => out.clear(),
        }
        Ok(())
    }
    fn decode(&self, _: &Bytes) -> Result<u32> {
        panic!("cannot decode")
    }
}

#[tokio::test]
async fn a_codec_that_panics_is_a_miss_an_error_of_insert_and_no_trouble_for_a_load() {
    for codec in [Wild::PanicsOnDecode, Wild::PanicsOnEncode, Wild::ClearsTheBuffer] {
        let events = Recorder::new();
        let cache = Cache::new(FakeBytes::new()).observer(events.clone()).codec::<u32, _>(codec);
        let inserted = cache.insert("ada", 1).await;
        if matches!(codec, Wild::PanicsOnDecode) {
            assert!(inserted.is_ok());
        } else {
            let error = inserted.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Codec);
            let cleared = matches!(codec, Wild::ClearsTheBuffer);
            assert_eq!(error.to_string().contains("removed what was in the buffer"), cleared, "{error}");
            assert!(!error.to_string().contains("cannot"), "what a panic says may show the value: {error}");
        }
        assert_eq!(cache.get("ada").await.unwrap(), None);
        assert_eq!(cache.get_or_load("ada", async || Ok::<_, Error>(2)).await.unwrap(), 2);
        assert!(events.failures().iter().all(|failure| failure.kind == ErrorKind::Codec));
        assert!(events.failures().iter().all(|failure| !failure.message.contains("cannot")));
    }
}

#[tokio::test]
async fn a_store_that_cannot_clear_says_so() {
    struct Plain(FakeBytes);
    impl ByteStore for Plain {
        async fn get(&self, key: &str) -> Result<Option<Bytes>> {
            self.0.get(key).await
        }
        async fn put(&self, key: &str, bytes: Bytes, at: Option<std::time::SystemTime>) -> Result<()> {
            self.0.put(key, bytes, at).await
        }
        async fn remove(&self, key: &str) -> Result<()> {
            self.0.remove(key).await
        }
    }
    let cache = Cache::<str, Bytes, _, _>::new(Plain(FakeBytes::new()));
    let error = cache.clear().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("change the namespace"), "{error}");
}

#[test]
#[should_panic(expected = "say `.codec` first")]
fn a_ttl_computed_from_bytes_cannot_be_kept_for_another_type() {
    struct Any;
    impl Format for Any {
        const ID: u8 = 98;
    }
    impl Codec<String> for Any {
        fn encode(&self, _: &String, _: &mut Vec<u8>) -> Result<()> {
            Ok(())
        }
        fn decode(&self, _: &Bytes) -> Result<String> {
            Ok(String::new())
        }
    }
    let bytes = Cache::<str, Bytes, _, _>::new(FakeBytes::new())
        .ttl_with(|_, bytes| Duration::from_secs(bytes.len() as u64));
    drop(bytes.codec(Any));
}
