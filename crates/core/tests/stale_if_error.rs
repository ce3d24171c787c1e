//! Fail-safe: what can no longer be served is kept for loads that fail, and a failing loader is left alone for a while.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, LoadError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

struct Ages {
    clock: MockClock,
    events: Recorder,
    cache: Cache<str, u32>,
}

/// Fresh for 60 s, kept for another 1,000 s.
fn ages() -> Ages {
    let (clock, events) = (MockClock::new(), Recorder::new());
    let cache = Cache::new(Fake::<str, u32>::new())
        .ttl(60 * SECOND)
        .stale_if_error(1_000 * SECOND)
        .retry_after(10 * SECOND)
        .clock(clock.clone())
        .observer(events.clone());
    Ages { clock, events, cache: cache.boxed() }
}

#[tokio::test]
async fn a_load_that_fails_is_answered_with_what_was_kept() {
    let ages = ages();
    ages.cache.insert("ada", 36).await.unwrap();
    ages.clock.advance(60 * SECOND);
    assert_eq!(ages.cache.get("ada").await.unwrap(), None, "a read without a loader sees nothing of it");
    assert_eq!(ages.cache.get_now("ada"), None);
    assert!(!ages.cache.contains("ada").await.unwrap());

    let failing: Loader<u32, &str> = Loader::failing("down");
    assert_eq!(ages.cache.get_or_load("ada", failing.load()).await.unwrap(), 36);

    let stats = ages.cache.stats();
    assert_eq!((failing.loads(), stats.load_failures, stats.covered), (1, 1, 1));
    assert_eq!(ages.events.failed_reloads(), 1);
}

#[tokio::test]
async fn a_loader_that_panics_is_covered_and_so_are_all_who_wait_and_scoped_callers() {
    let ages = ages();
    ages.cache.insert("ada", 36).await.unwrap();
    ages.clock.advance(60 * SECOND);
    let panicking: Loader<u32> = Loader::panicking("down").gated();
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let (cache, load) = (ages.cache.clone(), panicking.load());
            tokio::spawn(async move { cache.get_or_load("ada", load).await })
        })
        .collect();
    settle().await;
    panicking.gate().open();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 36);
    }
    ages.clock.advance(10 * SECOND);
    let scoped = ages.cache.get_or_load_scoped("ada", async || Err::<u32, _>("down")).await;
    assert_eq!(scoped.unwrap(), 36);
}

#[tokio::test]
async fn a_failing_loader_is_left_alone_for_longer_and_longer_and_a_success_ends_it() {
    let ages = ages();
    ages.cache.insert("ada", 36).await.unwrap();
    ages.clock.advance(60 * SECOND);
    let failing: Loader<u32, &str> = Loader::failing("down");
    for (failures, seconds) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 80)] {
        for _ in 0..3 {
            assert_eq!(ages.cache.get_or_load("ada", failing.load()).await.unwrap(), 36);
        }
        assert_eq!(failing.loads(), failures, "one try, and then none for {seconds} s");
        ages.clock.advance((seconds - 1) * SECOND);
        ages.cache.get_or_load("ada", failing.load()).await.unwrap();
        assert_eq!(failing.loads(), failures);
        ages.clock.advance(SECOND);
    }

    let healed: Loader<u32, &str> = Loader::value(37);
    assert_eq!(ages.cache.get_or_load("ada", healed.load()).await.unwrap(), 37);
    ages.clock.advance(60 * SECOND);
    ages.cache.get_or_load("ada", failing.load()).await.unwrap();
    ages.clock.advance(10 * SECOND);
    ages.cache.get_or_load("ada", failing.load()).await.unwrap();
    assert_eq!(failing.loads(), 7, "the row of failures began anew");
}

#[tokio::test]
async fn nothing_is_served_beyond_what_is_kept_and_errors_without_it_are_not_delayed() {
    let ages = ages();
    ages.cache.insert("ada", 36).await.unwrap();
    ages.clock.advance(1_060 * SECOND);
    let failing: Loader<u32, &str> = Loader::failing("down");
    for loads in 1..=3 {
        let error = ages.cache.get_or_load("ada", failing.load()).await.unwrap_err();
        assert!(matches!(error, LoadError::Load(error) if *error == "down"));
        assert_eq!(failing.loads(), loads);
    }
    assert_eq!(ages.cache.stats().covered, 0);
}

#[tokio::test]
async fn what_dies_while_a_load_runs_does_not_cover_its_failure() {
    let ages = ages();
    ages.cache.insert("ada", 36).await.unwrap();
    ages.clock.advance(60 * SECOND);
    let failing = Loader::<u32, &str>::failing("down").gated();
    let call = tokio::spawn({
        let (cache, load) = (ages.cache.clone(), failing.load());
        async move { cache.get_or_load("ada", load).await }
    });
    failing.gate().reached(1).await;
    ages.clock.advance(1_000 * SECOND);
    failing.gate().open();
    assert!(matches!(call.await.unwrap(), Err(LoadError::Load(_))));
    assert_eq!((ages.cache.stats().covered, ages.events.failed_reloads()), (0, 0));
}

#[tokio::test]
async fn removed_means_removed_for_failures_too() {
    let ages = ages();
    ages.cache.insert("ada", 36).await.unwrap();
    ages.clock.advance(60 * SECOND);
    ages.cache.remove("ada").await.unwrap();
    let failing: Loader<u32, &str> = Loader::failing("down");
    assert!(ages.cache.get_or_load("ada", failing.load()).await.is_err());
}

#[tokio::test]
async fn what_only_the_level_behind_has_kept_covers_as_well_and_a_fresh_value_there_is_found_while_backing_off()
 {
    let (front, back, clock) = (Fake::<str, Bytes>::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front)
        .ttl(SECOND)
        .chain(Cache::new(back.clone()).ttl(60 * SECOND).stale_if_error(1_000 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", "kept".into()).await.unwrap();
    clock.advance(100 * SECOND);
    let failing: Loader<Bytes, &str> = Loader::failing("down");

    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "kept");
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "kept");
    assert_eq!((failing.loads(), back.count(Operation::Read)), (1, 2));

    // Another process has loaded it.
    let other = Cache::<str, Bytes, _, _>::new(back).ttl(60 * SECOND).clock(clock.clone());
    other.insert("ada", "theirs".into()).await.unwrap();
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "theirs");
    assert_eq!(failing.loads(), 1);
}

#[tokio::test]
async fn what_is_only_kept_counts_as_a_miss_at_every_level() {
    let (front, clock) = (Fake::<str, Bytes>::new(), MockClock::new());
    let cache = Cache::new(front)
        .ttl(SECOND)
        .chain(Cache::new(FakeBytes::new()).ttl(SECOND).stale_if_error(1_000 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", "kept".into()).await.unwrap();
    clock.advance(10 * SECOND);

    assert_eq!(cache.get("ada").await.unwrap(), None);
    let failing: Loader<Bytes, &str> = Loader::failing("down");
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "kept");

    assert_eq!((cache.stats().hits(), cache.stats().misses()), (0, 2));
}

#[tokio::test]
async fn a_reload_behind_a_stale_value_backs_off_from_a_second_up_to_the_delay() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, u32>::new())
        .ttl(60 * SECOND)
        .stale(1_000 * SECOND)
        .retry_after(3 * SECOND)
        .clock(clock.clone());
    cache.insert("ada", 36).await.unwrap();
    clock.advance(60 * SECOND);
    let failing: Loader<u32, &str> = Loader::failing("down");
    for (failures, seconds) in [(1, 1), (2, 2), (3, 3), (4, 3)] {
        for _ in 0..3 {
            assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), 36);
            settle().await;
        }
        assert_eq!(failing.loads(), failures);
        clock.advance(seconds * SECOND);
    }
}

#[tokio::test]
async fn kept_entries_are_freed_when_they_are_dead_and_not_before() {
    let (clock, store) = (MockClock::new(), Fake::<str, u32>::new());
    let cache =
        Cache::new(store.clone()).ttl(SECOND).stale(SECOND).stale_if_error(SECOND).clock(clock.clone());
    cache.insert("ada", 36).await.unwrap();
    clock.advance(3 * SECOND - Duration::from_millis(1));
    assert_eq!(store.len(), 1);
    clock.advance(Duration::from_millis(1));
    assert_eq!(store.len(), 0);
}

#[test]
#[should_panic(expected = "say it after `.chain`")]
fn what_governs_loads_is_refused_on_the_right_side_of_the_wall() {
    let back = Cache::new(Fake::<str, u32>::new()).retry_after(SECOND);
    drop(Cache::new(Fake::<str, u32>::new()).chain(back));
}
