//! Reloading before the end, at a fraction of the life and by chance.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{Cache, Freshness, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Users = Cache<str, u32>;
type Numbers = Loader<u32, &'static str>;

fn users(clock: &MockClock) -> Users {
    Cache::new(Fake::new()).ttl(100 * SECOND).refresh_ahead(0.8).clock(clock.clone()).boxed()
}

async fn get(users: &Users, loader: &Numbers) -> u32 {
    users.get_or_load("ada", loader.load()).await.unwrap()
}

// FusionCache 45, 50.
#[tokio::test]
async fn past_the_fraction_the_value_is_served_and_one_reload_runs_behind_it() {
    let clock = MockClock::new();
    let (users, loader) = (users(&clock), Numbers::value(36).then_value(37));
    get(&users, &loader).await;
    clock.advance(80 * SECOND - Duration::from_nanos(1));
    get(&users, &loader).await;
    settle().await;
    assert_eq!(loader.loads(), 1, "not before its time");

    clock.advance(Duration::from_nanos(1));
    loader.gate().close();
    for _ in 0..10 {
        assert_eq!(get(&users, &loader).await, 36);
    }
    settle().await;
    assert_eq!(loader.loads(), 2);
    loader.gate().open();
    settle().await;

    let found = users.lookup("ada").await.unwrap().unwrap();
    assert_eq!((*found.value(), found.ttl_left()), (37, Some(100 * SECOND)));
    let stats = users.stats();
    assert_eq!((stats.levels[0].fresh_hits, stats.levels[0].stale_hits, stats.reloads), (12, 0, 1));
}

// FusionCache 48.
#[tokio::test]
async fn the_reload_does_not_depend_on_the_caller_that_began_it() {
    let clock = MockClock::new();
    let (users, loader) = (users(&clock), Numbers::value(36).then_value(37));
    get(&users, &loader).await;
    clock.advance(80 * SECOND);
    loader.gate().close();
    let caller = tokio::spawn({
        let (users, load) = (users.clone(), loader.load());
        async move { users.get_or_load("ada", load).await }
    });
    loader.gate().reached(2).await;
    caller.abort();
    loader.gate().open();
    settle().await;
    assert_eq!(users.get("ada").await.unwrap(), Some(37));
}

// FusionCache 49.
#[tokio::test]
async fn who_comes_after_the_end_waits_for_the_reload_that_is_under_way() {
    let clock = MockClock::new();
    let (users, loader) = (users(&clock), Numbers::value(36).then_value(37));
    get(&users, &loader).await;
    clock.advance(80 * SECOND);
    loader.gate().close();
    get(&users, &loader).await;
    settle().await;
    clock.advance(20 * SECOND);

    let late = tokio::spawn({
        let (users, load) = (users.clone(), loader.load());
        async move { users.get_or_load("ada", load).await }
    });
    settle().await;
    assert!(!late.is_finished());
    loader.gate().open();
    assert_eq!(late.await.unwrap().unwrap(), 37);
    assert_eq!(loader.loads(), 2);
}

#[tokio::test]
async fn a_reload_that_fails_is_tried_again_with_growing_delays_while_the_value_is_fresh() {
    let (clock, events) = (MockClock::new(), Recorder::new());
    let users = users(&clock).observer(events.clone());
    let loader = Numbers::value(36).then_failing("down");
    get(&users, &loader).await;
    clock.advance(80 * SECOND);

    let mut tries = Vec::new();
    for second in 0..20 {
        assert_eq!(get(&users, &loader).await, 36);
        settle().await;
        if events.failed_reloads() > tries.len() {
            tries.push(second);
        }
        clock.advance(SECOND);
    }
    assert_eq!(tries, [0, 1, 3, 7, 15]);
}

// FusionCache 47.
#[tokio::test]
async fn entries_without_end_are_not_reloaded() {
    let clock = MockClock::new();
    let users: Users = Cache::new(Fake::new()).refresh_ahead(0.5).clock(clock.clone()).boxed();
    let loader = Numbers::value(36);
    get(&users, &loader).await;
    clock.advance(1_000_000_000 * SECOND);
    get(&users, &loader).await;
    settle().await;
    assert_eq!(loader.loads(), 1);
}

// FusionCache 46.
#[test]
fn a_fraction_outside_its_range_is_refused() {
    for fraction in [0.0, 1.0, -0.5, 1.5, f64::NAN] {
        let users: Users = Cache::new(Fake::new()).boxed();
        let refused =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| users.refresh_ahead(fraction)));
        assert!(refused.is_err(), "{fraction}");
    }
}

#[tokio::test]
async fn the_next_level_is_asked_first_and_what_is_not_due_there_is_copied() {
    let clock = MockClock::new();
    let lower = FakeBytes::new();
    let node = || {
        Cache::new(Fake::<str, u32>::new())
            .ttl(100 * SECOND)
            .chain(Cache::new(lower.clone()).codec(larder::Json).ttl(1_000 * SECOND))
            .refresh_ahead(0.8)
            .clock(clock.clone())
            .boxed()
    };
    let (here, there) = (node(), node());
    let (mine, theirs) = (Numbers::value(36), Numbers::value(37));
    get(&here, &mine).await;
    clock.advance(80 * SECOND);
    there.remove("ada").await.unwrap();
    get(&there, &theirs).await;

    assert_eq!(get(&here, &mine).await, 36);
    settle().await;
    assert_eq!((mine.loads(), here.get("ada").await.unwrap()), (1, Some(37)));
}

// Pitfall 3 of other caches: a copy judged by its origin's age is reloaded at each read.
#[tokio::test]
async fn a_copy_counts_from_when_it_was_copied() {
    let clock = MockClock::new();
    let lower = FakeBytes::new();
    let users: Users = Cache::new(Fake::<str, u32>::new())
        .ttl(10 * SECOND)
        .chain(Cache::new(lower.clone()).codec(larder::Json).ttl(1_000 * SECOND))
        .refresh_ahead(0.8)
        .clock(clock.clone())
        .boxed();
    let loader = Numbers::value(36);
    get(&users, &loader).await;
    clock.advance(500 * SECOND);
    get(&users, &loader).await;
    let reads = lower.count(Operation::Read);
    for _ in 0..7 {
        clock.advance(SECOND);
        get(&users, &loader).await;
        settle().await;
    }
    assert_eq!((lower.count(Operation::Read), loader.loads()), (reads, 1));
}

#[tokio::test]
async fn what_is_due_in_the_next_level_too_is_loaded() {
    let clock = MockClock::new();
    let users: Users = Cache::new(Fake::<str, u32>::new())
        .chain(Cache::new(FakeBytes::new()).codec(larder::Json))
        .ttl(100 * SECOND)
        .refresh_ahead(0.8)
        .clock(clock.clone())
        .boxed();
    let loader = Numbers::value(36).then_value(37);
    get(&users, &loader).await;
    clock.advance(80 * SECOND);
    assert_eq!(get(&users, &loader).await, 36);
    settle().await;
    assert_eq!(users.get("ada").await.unwrap(), Some(37));
}

// FusionCache 53.
#[tokio::test]
async fn a_single_level_of_bytes_serves_what_is_due_and_reloads_it_behind() {
    let clock = MockClock::new();
    let users: Users = Cache::new(FakeBytes::new())
        .codec(larder::Json)
        .ttl(100 * SECOND)
        .refresh_ahead(0.8)
        .clock(clock.clone())
        .boxed();
    let loader = Numbers::value(36).then_value(37);
    get(&users, &loader).await;
    clock.advance(80 * SECOND);
    loader.gate().close();
    assert_eq!(get(&users, &loader).await, 36, "served before the reload ends");
    loader.gate().open();
    settle().await;
    assert_eq!((get(&users, &loader).await, loader.loads()), (37, 2));
}

// FusionCache 52.
#[tokio::test]
async fn the_caller_does_not_wait_for_a_slow_level() {
    let clock = MockClock::new();
    let slow = FakeBytes::new();
    let users: Users = Cache::new(Fake::<str, u32>::new())
        .chain(Cache::new(slow.clone()).codec(larder::Json))
        .ttl(100 * SECOND)
        .refresh_ahead(0.8)
        .clock(clock.clone())
        .boxed();
    let loader = Numbers::value(36).then_value(37);
    get(&users, &loader).await;
    clock.advance(80 * SECOND);
    slow.gate(Operation::Read).close();
    assert_eq!(get(&users, &loader).await, 36);
    slow.gate(Operation::Read).open();
    settle().await;
    assert_eq!(users.get("ada").await.unwrap(), Some(37));
}

#[tokio::test]
async fn a_value_that_was_removed_during_the_reload_does_not_come_back() {
    let clock = MockClock::new();
    let (users, loader) = (users(&clock), Numbers::value(36).then_value(37));
    get(&users, &loader).await;
    clock.advance(80 * SECOND);
    loader.gate().close();
    get(&users, &loader).await;
    loader.gate().reached(2).await;
    users.remove("ada").await.unwrap();
    loader.gate().open();
    settle().await;
    assert_eq!(users.get("ada").await.unwrap(), None);
}

// FusionCache 51.
#[tokio::test]
async fn what_the_call_that_begins_the_reload_says_counts_for_its_value() {
    let clock = MockClock::new();
    let (users, loader) = (users(&clock), Numbers::value(36).then_value(37));
    get(&users, &loader).await;
    clock.advance(80 * SECOND);
    get(&users.with(|call| call.tag("team:7").ttl(5 * SECOND)), &loader).await;
    settle().await;
    let found = users.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.tags(), found.ttl_left()), (&["team:7".into()][..], Some(5 * SECOND)));
}

/// How many of 1,000 keys are reloaded by reading each once, `before` the end of their life, after loads of one second.
async fn early(seed: u64, beta: f64, before: Duration) -> usize {
    let clock = MockClock::new();
    let users: Cache<u32, u32> = Cache::new(Fake::new())
        .ttl(1_000 * SECOND)
        .early_expiration(beta)
        .seed(seed)
        .clock(clock.clone())
        .boxed();
    let load = |clock: &MockClock| {
        let clock = clock.clone();
        async move || {
            clock.advance(SECOND);
            Ok::<_, &str>(36)
        }
    };
    let mut reloads = 0;
    for key in 0..1_000 {
        users.get_or_load(&key, load(&clock)).await.unwrap();
        let found = users.lookup(&key).await.unwrap().unwrap();
        clock.advance(found.ttl_left().unwrap() - before);
        let loads = users.stats().loads;
        assert_eq!(found.freshness(), Freshness::Fresh);
        users.get_or_load(&key, load(&clock)).await.unwrap();
        settle().await;
        reloads += usize::try_from(users.stats().loads - loads).unwrap();
    }
    reloads
}

#[tokio::test]
async fn early_expiration_reloads_by_a_chance_that_grows_towards_the_end() {
    // e to the -1 and -3 of a thousand are 368 and 50; four standard deviations are 61 and 28.
    let (near, far) = (early(7, 1.0, SECOND).await, early(7, 1.0, 3 * SECOND).await);
    assert!((307..=429).contains(&near), "{near}");
    assert!((22..=78).contains(&far), "{far}");
    assert_eq!(early(7, 1.0, SECOND).await, near, "a seed decides");
    assert!((307..=429).contains(&early(8, 3.0, 3 * SECOND).await), "beta scales the time");
    assert_eq!(early(7, 1.0, 20 * SECOND).await, 0);
}

#[tokio::test]
async fn the_time_a_load_took_travels_with_its_value() {
    let clock = MockClock::new();
    let lower = FakeBytes::new();
    let node = |beta| {
        Cache::new(Fake::<str, u32>::new())
            .chain(Cache::new(lower.clone()).codec(larder::Json))
            .ttl(1_000 * SECOND)
            .early_expiration(beta)
            .clock(clock.clone())
            .seed(1)
            .boxed()
    };
    let slow = clock.clone();
    let load = async move || {
        slow.advance(100 * SECOND);
        Ok::<_, &str>(36)
    };
    node(1.0).get_or_load("ada", load).await.unwrap();

    // With a mean of a million seconds ahead, a read of the copy is as good as sure to reload it.
    let other = node(10_000.0);
    assert_eq!(other.get("ada").await.unwrap(), Some(36));
    let loader = Numbers::value(37);
    assert_eq!(get(&other, &loader).await, 36);
    settle().await;
    assert_eq!(loader.loads(), 1);
}
