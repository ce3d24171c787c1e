//! What is stored outlives the types and codecs of a release.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::{BufMut, Bytes};
use larder_core::{Cache, Codec, Error, ErrorKind, Format, Result, Shared};
use larder_testkit::{FakeBytes, Recorder};
use std::convert::Infallible;
use std::sync::Arc;

/// A number in so many bytes, so that two of these write differently.
struct Digits<const N: u8>;

impl<const N: u8> Format for Digits<N> {
    const ID: u8 = 64 + N;
}

impl<const N: u8> Codec<u64> for Digits<N> {
    fn encode(&self, value: &u64, out: &mut Vec<u8>) -> Result<()> {
        out.put_slice(&value.to_le_bytes()[..usize::from(N)]);
        Ok(())
    }
    fn decode(&self, bytes: &Bytes) -> Result<u64> {
        if bytes.len() != usize::from(N) {
            return Err(Error::new(ErrorKind::Codec, "of another length"));
        }
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

fn cache<C: Codec<u64>>(store: &FakeBytes, codec: C) -> Cache<str, u64, FakeBytes, C> {
    Cache::new(store.clone()).codec(codec)
}

async fn stored<C: Codec<u64>>(codec: C, version: u32) -> FakeBytes {
    let store = FakeBytes::new();
    cache(&store, codec).version(version).insert("eiger", 3_967).await.unwrap();
    store
}

#[tokio::test]
async fn another_version_of_the_schema_is_a_miss_and_an_event_and_the_load_puts_it_right() {
    for (written, read) in [(0, 1), (1, 0), (1, 2), (2, 1), (u32::MAX, 0)] {
        let store = stored(Digits::<4>, written).await;
        let events = Recorder::new();
        let newer = cache(&store, Digits::<4>).version(read).observer(events.clone());

        assert_eq!(newer.get("eiger").await.unwrap(), None, "{written} read as {read}");
        assert_eq!(events.failures()[0].kind, ErrorKind::Codec);
        assert_eq!(newer.get_or_load("eiger", async || Ok::<_, Infallible>(4)).await.unwrap(), 4);
        assert_eq!(newer.get("eiger").await.unwrap(), Some(4));
    }
}

#[tokio::test]
async fn a_migration_makes_values_of_older_versions_and_is_not_asked_about_newer_ones() {
    for written in [0, 1, 2, 3] {
        let store = stored(Digits::<4>, written).await;
        let current = cache(&store, Digits::<4>).version(2).migrate(|version, bytes| match version {
            1 => Digits::<4>.decode(bytes).map(|metres| metres * 100),
            0 => Err(Error::new(ErrorKind::Codec, "never released")),
            _ => panic!("asked about version {version}"),
        });
        let expected = [None, Some(396_700), Some(3_967), None][written as usize];
        assert_eq!(current.get("eiger").await.unwrap(), expected, "version {written}");
    }
}

#[tokio::test]
async fn a_migration_that_panics_is_a_miss() {
    let store = stored(Digits::<4>, 0).await;
    let current = cache(&store, Digits::<4>).version(1).migrate(|_, _| panic!("on purpose"));
    assert_eq!(current.get("eiger").await.unwrap(), None);
}

#[tokio::test]
async fn a_codec_is_changed_without_a_flush() {
    let store = stored(Digits::<4>, 0).await;
    let events = Recorder::new();
    let other = cache(&store, Digits::<8>).observer(events.clone());
    assert_eq!(other.get("eiger").await.unwrap(), None);
    assert!(events.failures()[0].message.contains("also_reads"));

    let both = cache(&store, Digits::<8>).also_reads(Digits::<4>).also_reads(Digits::<2>);
    assert_eq!(both.get("eiger").await.unwrap(), Some(3_967));
    both.insert("eiger", 8_000).await.unwrap();
    assert_eq!(other.get("eiger").await.unwrap(), Some(8_000), "it writes with its own");

    let (oldest, newest) = (stored(Digits::<2>, 0).await, Digits::<8>);
    let both = cache(&oldest, newest).also_reads(Digits::<4>).also_reads(Digits::<2>);
    assert_eq!(both.get("eiger").await.unwrap(), Some(3_967));
}

#[tokio::test]
async fn what_a_former_codec_wrote_in_another_version_is_a_miss() {
    let store = stored(Digits::<4>, 0).await;
    let both = cache(&store, Digits::<8>).also_reads(Digits::<4>).version(1);
    assert_eq!(both.get("eiger").await.unwrap(), None);
    // It would be given the bytes of another codec than it knows.
    let migrated = both.migrate(|_, _| Ok(1));
    assert_eq!(migrated.get("eiger").await.unwrap(), None);
}

/// Knows of itself what its older versions were.
struct Wise;

impl Format for Wise {
    const ID: u8 = 90;
}

impl Codec<u64> for Wise {
    fn encode(&self, value: &u64, out: &mut Vec<u8>) -> Result<()> {
        Digits::<8>.encode(value, out)
    }
    fn decode(&self, bytes: &Bytes) -> Result<u64> {
        Digits::<8>.decode(bytes)
    }
    fn decode_older(&self, version: u32, format: u8, bytes: &Bytes) -> Result<u64> {
        assert_eq!((version, format), (3, Self::ID));
        self.decode(bytes).map(|metres| metres * 100)
    }
}

#[tokio::test]
async fn a_codec_may_know_its_older_versions_also_where_it_is_the_former_one() {
    let store = stored(Wise, 3).await;
    assert_eq!(cache(&store, Wise).version(4).get("eiger").await.unwrap(), Some(396_700));
    let both = cache(&store, Digits::<8>).also_reads(Wise).version(4);
    assert_eq!(both.get("eiger").await.unwrap(), Some(396_700));
}

#[tokio::test]
async fn a_migration_goes_with_pointers_and_with_a_codec_that_also_reads_another() {
    let store = stored(Digits::<4>, 0).await;
    let pointers: Cache<str, Arc<u64>, _, _> = Cache::new(store.clone()).codec(Shared(Digits::<4>));
    assert_eq!(pointers.get("eiger").await.unwrap().as_deref(), Some(&3_967));
    assert_eq!(pointers.clone().version(1).get("eiger").await.unwrap(), None);
    let migrated = pointers.version(1).migrate(|_, bytes| Digits::<4>.decode(bytes).map(Arc::new));
    let migrated = migrated.also_reads(Shared(Digits::<8>));
    assert_eq!(migrated.get("eiger").await.unwrap().as_deref(), Some(&3_967));
}

#[test]
fn debug_tells_how_values_travel() {
    let cache = cache(&FakeBytes::new(), Digits::<8>).version(3).also_reads(Digits::<4>);
    assert_eq!(format!("{cache:?}"), "Cache (unnamed)\n└ L1 FakeBytes, Digits, version 3, namespace larder");
}
