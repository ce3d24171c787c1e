//! What nobody reads is gone, and what is read stays.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder::Memory;
use larder_core::{Cache, CallOptions, Freshness};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(10);

type Ages = Cache<str, u32>;

/// In both kinds of memory, alone and in front of another level.
fn in_all_forms() -> Vec<(Ages, MockClock)> {
    let make = |number| {
        let clock = MockClock::new();
        let fake = || Cache::new(Fake::<str, u32>::new());
        let cache = match number {
            0 => fake().time_to_idle(IDLE).clock(clock.clone()).boxed(),
            1 => fake().boxed().time_to_idle(IDLE).clock(clock.clone()),
            2 => Cache::new(Memory::new(100)).time_to_idle(IDLE).clock(clock.clone()).boxed(),
            3 => Cache::new(Fake::<str, u32>::remote()).time_to_idle(IDLE).clock(clock.clone()).boxed(),
            _ => fake().chain(fake()).time_to_idle(IDLE).clock(clock.clone()).boxed(),
        };
        (cache, clock)
    };
    (0..5).map(make).collect()
}

#[tokio::test]
async fn what_is_not_read_for_that_long_is_gone() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", 36).await.unwrap();
        clock.advance(IDLE - Duration::from_nanos(1));
        assert!(cache.contains("ada").await.unwrap());
        clock.advance(IDLE);
        assert_eq!(cache.get("ada").await.unwrap(), None, "{cache:?}");
        assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), None);
    }
}

#[tokio::test]
async fn each_form_of_read_keeps_it() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", 36).await.unwrap();
        for round in 0..40 {
            clock.advance(IDLE - SECOND);
            match round % 8 {
                0 => assert_eq!(cache.get("ada").await.unwrap(), Some(36), "{cache:?}"),
                1 => assert_eq!(cache.get_or_insert_with("ada", async || 0).await, 36),
                2 => assert_eq!(cache.lookup("ada").await.unwrap().unwrap().into_value(), 36),
                3 => assert!(cache.contains("ada").await.unwrap()),
                4 => {
                    let value = cache.get_or_load_scoped("ada", async || Ok::<_, String>(0)).await;
                    assert_eq!(value.unwrap(), 36);
                }
                5 => assert_eq!(
                    cache.with(|call| call.max_age(1_000 * SECOND)).get("ada").await.unwrap(),
                    Some(36)
                ),
                6 => {
                    let load = async |_| Ok::<_, String>(0);
                    assert_eq!(cache.get_or_load_with("ada", load).await.unwrap(), 36);
                }
                // A store that waits is not asked by this.
                _ => assert!(cache.get_now("ada") == Some(36) || cache.contains("ada").await.unwrap()),
            }
        }
    }
}

#[tokio::test]
async fn it_is_freed_without_being_read_and_what_is_read_is_not() {
    let (clock, store) = (MockClock::new(), std::sync::Arc::new(Memory::<u64, u32>::new(100)));
    let cache = Cache::new(std::sync::Arc::clone(&store)).time_to_idle(IDLE).clock(clock.clone());
    let entries = || cache.stats().levels[0].usage.unwrap().entries;
    for key in 0..10 {
        cache.insert(&key, 36).await.unwrap();
    }
    for _ in 0..3 {
        clock.advance(IDLE - SECOND);
        assert_eq!(cache.get(&3).await.unwrap(), Some(36));
    }
    assert_eq!(entries(), 1);
    clock.advance(IDLE);
    assert_eq!(entries(), 0);
}

#[tokio::test]
async fn the_ttl_ends_it_however_often_it_is_read() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, u32>::new()).ttl(25 * SECOND).time_to_idle(IDLE).clock(clock.clone());
    cache.insert("ada", 36).await.unwrap();
    for _ in 0..3 {
        clock.advance(8 * SECOND);
        assert_eq!(cache.get("ada").await.unwrap(), Some(36));
    }
    clock.advance(SECOND);
    assert_eq!(cache.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_stale_entry_that_is_read_is_served_and_reloaded_and_one_that_is_not_is_gone() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, u32>::new())
        .ttl(5 * SECOND)
        .stale(100 * SECOND)
        .time_to_idle(IDLE)
        .clock(clock.clone());
    cache.insert("ada", 36).await.unwrap();
    clock.advance(6 * SECOND);
    assert_eq!(cache.get("ada").await.unwrap(), Some(36), "stale, and touched");
    clock.advance(9 * SECOND);
    let loader: Loader<u32> = Loader::value(37);
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), 36);
    settle().await;
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().freshness(), Freshness::Fresh);
    clock.advance(IDLE);
    assert_eq!(cache.get("ada").await.unwrap(), None, "within its stale window, and idle");
}

#[tokio::test]
async fn what_covers_an_outage_does_not_idle_while_it_is_asked_for() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, u32>::new())
        .ttl(5 * SECOND)
        .stale_if_error(1_000 * SECOND)
        .retry_after(SECOND)
        .time_to_idle(IDLE)
        .clock(clock.clone());
    cache.insert("ada", 36).await.unwrap();
    let failing: Loader<u32, &str> = Loader::failing("down");
    for _ in 0..10 {
        clock.advance(9 * SECOND);
        assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), 36);
    }
    clock.advance(IDLE);
    assert!(cache.get_or_load("ada", failing.load()).await.is_err());
}

#[tokio::test]
async fn reloads_ahead_of_the_end_come_when_they_are_due_and_not_before() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, u32>::new())
        .ttl(20 * SECOND)
        .refresh_ahead(0.5)
        .time_to_idle(IDLE)
        .clock(clock.clone());
    let loader: Loader<u32> = Loader::value(36).then_value(37);
    cache.get_or_load("ada", loader.load()).await.unwrap();
    clock.advance(9 * SECOND);
    cache.get_or_load("ada", loader.load()).await.unwrap();
    settle().await;
    assert_eq!(loader.loads(), 1);
    clock.advance(SECOND);
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), 36);
    settle().await;
    assert_eq!((loader.loads(), cache.get("ada").await.unwrap()), (2, Some(37)));
}

#[tokio::test]
async fn copies_idle_on_their_own() {
    let (front, back, clock) = (Fake::<str, u32>::new(), Fake::<str, u32>::new(), MockClock::new());
    let cache = Cache::new(front.clone())
        .time_to_idle(IDLE)
        .chain(Cache::new(back.clone()).time_to_idle(30 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", 36).await.unwrap();
    clock.advance(20 * SECOND);
    assert_eq!(front.len(), 0, "idle in front");
    let found = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!(found.level(), 1);
    clock.advance(9 * SECOND);
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 0, "the copy began anew");
    for _ in 0..3 {
        clock.advance(9 * SECOND);
        assert_eq!(cache.get("ada").await.unwrap(), Some(36));
    }
    assert_eq!(back.len(), 0, "what is read in front idles behind");
}

#[tokio::test]
async fn levels_of_bytes_go_by_the_ttl_alone_and_their_copies_idle() {
    let (front, clock) = (Fake::<str, Bytes>::new(), MockClock::new());
    let cache = Cache::new(front.clone())
        .chain(Cache::new(FakeBytes::new()))
        .ttl(60 * SECOND)
        .time_to_idle(IDLE)
        .clock(clock.clone());
    cache.insert("ada", "countess".into()).await.unwrap();
    clock.advance(IDLE);
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 1);
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 0);
    clock.advance(50 * SECOND);
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert_eq!(front.len(), 0);
}

#[tokio::test]
async fn the_smallest_limit_that_applies_counts() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, u32>::new())
        .time_to_idle(30 * SECOND)
        .chain(Cache::new(FakeBytes::new()).codec(Number))
        .time_to_idle(IDLE)
        .clock(clock.clone());
    let front = cache.with(|call| call.skip_read(1));
    cache.insert("ada", 36).await.unwrap();
    clock.advance(IDLE);
    assert_eq!(front.get("ada").await.unwrap(), None);
}

struct Number;

impl larder_core::Format for Number {
    const ID: u8 = 95;
}

impl larder_core::Codec<u32> for Number {
    fn encode(&self, value: &u32, out: &mut Vec<u8>) -> larder_core::Result<()> {
        out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }
    fn decode(&self, bytes: &Bytes) -> larder_core::Result<u32> {
        let bytes = bytes[..].try_into();
        bytes.map(u32::from_le_bytes).map_err(|_| larder_core::Error::store("not 4 bytes"))
    }
}

#[tokio::test]
async fn an_entry_without_a_limit_does_not_idle() {
    let clock = MockClock::new();
    let plain = Cache::new(Fake::<str, u32>::new()).clock(clock.clone());
    let idling = plain.clone().time_to_idle(IDLE);
    plain.insert("ada", 36).await.unwrap();
    idling.insert("bob", 37).await.unwrap();
    clock.advance(IDLE);
    assert_eq!(idling.get("ada").await.unwrap(), Some(36));
    assert_eq!(plain.get("bob").await.unwrap(), None);
}

#[test]
#[should_panic(expected = "within no time")]
fn a_limit_of_zero_panics_at_construction() {
    drop(Cache::new(Fake::<str, u32>::new()).time_to_idle(Duration::ZERO));
}

#[test]
#[should_panic(expected = "put `Memory` in front of it")]
fn bytes_alone_panic_at_construction() {
    drop(Cache::<str, Bytes, _, _>::new(FakeBytes::new()).time_to_idle(IDLE));
}
