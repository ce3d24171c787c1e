//! Stale-while-revalidate: a stale entry answers at once, and one reload runs behind it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Freshness, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_stale_hit_answers_before_the_reload_ends_and_the_next_one_has_its_value() {
    let (clock, loader) = (MockClock::new(), Loader::<u32>::value(36).then_value(37).gated());
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(60 * SECOND).stale(30 * SECOND).clock(clock.clone());
    loader.gate().open();
    ages.get_or_load("ada", loader.load()).await.unwrap();
    loader.gate().close();
    clock.advance(60 * SECOND);

    for _ in 0..100 {
        assert_eq!(ages.get_or_load("ada", loader.load()).await.unwrap(), 36);
    }
    settle().await;
    assert_eq!(loader.loads(), 2, "one reload, however many stale hits");
    loader.gate().open();
    settle().await;

    let found = ages.lookup("ada").await.unwrap().unwrap();
    assert_eq!(
        (*found.value(), found.freshness(), found.ttl_left()),
        (37, Freshness::Fresh, Some(60 * SECOND))
    );
    let stats = ages.stats();
    assert_eq!((stats.levels[0].stale_hits, stats.reloads, stats.loads), (100, 1, 2));
}

#[tokio::test]
async fn after_the_stale_window_callers_wait_for_the_load() {
    let (clock, loader) = (MockClock::new(), Loader::<u32>::value(36).then_value(37));
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(60 * SECOND).stale(30 * SECOND).clock(clock.clone());
    ages.get_or_load("ada", loader.load()).await.unwrap();
    clock.advance(90 * SECOND);
    assert_eq!(ages.get_or_load("ada", loader.load()).await.unwrap(), 37);
}

#[tokio::test]
async fn a_failing_reload_is_reported_and_leaves_the_stale_value() {
    let (clock, events) = (MockClock::new(), Recorder::new());
    let ages = Cache::new(Fake::<str, u32>::new())
        .ttl(60 * SECOND)
        .stale(30 * SECOND)
        .clock(clock.clone())
        .observer(events.clone());
    let loader = Loader::value(36).then_failing("down").then_value(38);
    ages.get_or_load("ada", loader.load()).await.unwrap();
    clock.advance(60 * SECOND);

    assert_eq!(ages.get_or_load("ada", loader.load()).await.unwrap(), 36);
    settle().await;
    assert_eq!((events.failed_reloads(), ages.stats().load_failures), (1, 1));

    clock.advance(SECOND);
    assert_eq!(ages.get_or_load("ada", loader.load()).await.unwrap(), 36, "and a later call tries again");
    settle().await;
    assert_eq!(ages.get("ada").await.unwrap(), Some(38));
}

#[tokio::test]
async fn a_caller_that_comes_after_the_window_waits_for_the_reload_that_is_under_way() {
    let (clock, loader) = (MockClock::new(), Loader::<u32>::value(36).then_value(37));
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(60 * SECOND).stale(30 * SECOND).clock(clock.clone());
    ages.get_or_load("ada", loader.load()).await.unwrap();
    clock.advance(60 * SECOND);
    loader.gate().close();
    ages.get_or_load("ada", loader.load()).await.unwrap();
    settle().await;
    clock.advance(30 * SECOND);

    let late = tokio::spawn({
        let (ages, load) = (ages.clone(), loader.load());
        async move { ages.get_or_load("ada", load).await }
    });
    settle().await;
    assert!(!late.is_finished());
    loader.gate().open();
    assert_eq!(late.await.unwrap().unwrap(), 37);
    assert_eq!(loader.loads(), 2);
}

#[tokio::test]
async fn a_scoped_leader_waits_for_its_reload_while_others_are_served_stale() {
    let (clock, loader) = (MockClock::new(), Loader::<u32>::value(36).then_value(37));
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(60 * SECOND).stale(30 * SECOND).clock(clock.clone());
    ages.get_or_load("ada", loader.load()).await.unwrap();
    clock.advance(60 * SECOND);
    loader.gate().close();

    let leader = tokio::spawn({
        let (ages, load) = (ages.clone(), loader.load());
        async move { ages.get_or_load_scoped("ada", load).await }
    });
    loader.gate().reached(2).await;
    assert_eq!(ages.get_or_load_scoped("ada", loader.load()).await.unwrap(), 36);
    assert!(!leader.is_finished());
    loader.gate().open();
    assert_eq!(leader.await.unwrap().unwrap(), 37);
}

#[tokio::test]
async fn a_scoped_leader_whose_reload_fails_gets_the_stale_value() {
    let clock = MockClock::new();
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(60 * SECOND).stale(30 * SECOND).clock(clock.clone());
    ages.insert("ada", 36).await.unwrap();
    clock.advance(60 * SECOND);
    let failing: Loader<u32, &str> = Loader::failing("down");
    assert_eq!(ages.get_or_load_scoped("ada", failing.load()).await.unwrap(), 36);
}

#[tokio::test]
async fn a_reload_asks_the_level_behind_before_the_loader() {
    let (front, back, clock) = (Fake::<str, Bytes>::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front)
        .ttl(SECOND)
        .stale(30 * SECOND)
        .chain(Cache::new(back.clone()).ttl(100 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", "countess".into()).await.unwrap();
    clock.advance(SECOND);

    let loader: Loader<Bytes> = Loader::value("never".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
    settle().await;

    assert_eq!((loader.loads(), back.count(Operation::Read)), (0, 1));
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().freshness(), Freshness::Fresh);
}

#[tokio::test]
async fn a_read_without_a_loader_refreshes_from_the_level_behind() {
    let (front, back, clock) = (Fake::<str, Bytes>::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front)
        .ttl(SECOND)
        .stale(30 * SECOND)
        .chain(Cache::new(back.clone()).ttl(100 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", "countess".into()).await.unwrap();
    clock.advance(SECOND);

    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    settle().await;

    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().freshness(), Freshness::Fresh);
    assert_eq!(back.count(Operation::Read), 1);
}

#[tokio::test]
async fn what_is_stale_behind_is_served_at_once_while_it_is_reloaded() {
    let (front, back, clock) = (Fake::<str, Bytes>::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front)
        .ttl(SECOND)
        .chain(Cache::new(back).ttl(10 * SECOND).stale(100 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(20 * SECOND);

    let loader: Loader<Bytes> = Loader::value("new".into()).gated();
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "old");
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "old", "joins, and is served too");
    assert_eq!(loader.loads(), 1);
    loader.gate().open();
    settle().await;
    assert_eq!(cache.get("ada").await.unwrap(), Some("new".into()));
}

#[tokio::test]
async fn a_stale_value_from_behind_is_not_served_once_its_window_is_over() {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let cache = Cache::new(Fake::<str, Bytes>::new())
        .ttl(SECOND)
        .chain(Cache::new(back).ttl(10 * SECOND).stale(100 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(20 * SECOND);
    let loader: Loader<Bytes> = Loader::value("new".into()).gated();
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "old");

    // The load hangs, and meanwhile the window ends.
    clock.advance(100 * SECOND);
    let late = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await }
    });
    settle().await;
    assert!(!late.is_finished());
    loader.gate().open();
    assert_eq!(late.await.unwrap().unwrap(), "new");
}

#[test]
fn without_a_runtime_the_caller_that_finds_it_stale_loads() {
    let clock = MockClock::new();
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(SECOND).stale(30 * SECOND).clock(clock.clone());
    futures::executor::block_on(async {
        ages.insert("ada", 36).await.unwrap();
        clock.advance(SECOND);
        assert_eq!(ages.get_or_insert_with("ada", async || 37).await, 37);
        clock.advance(SECOND);
        assert_eq!(ages.get("ada").await.unwrap(), Some(37), "and a read without a loader is served");
    });
}

/// A store of bytes alone: what is stale there is seen only when it has answered.
fn stale_behind_a_wait() -> (Cache<str, Bytes>, MockClock, Recorder) {
    let (clock, events) = (MockClock::new(), Recorder::new());
    let cache = Cache::<str, Bytes, _, _>::new(FakeBytes::new())
        .ttl(SECOND)
        .stale(100 * SECOND)
        .clock(clock.clone())
        .observer(events.clone());
    (cache.boxed(), clock, events)
}

#[tokio::test]
async fn a_load_that_fails_at_once_slowly_or_by_panic_takes_no_stale_value_away() {
    let (cache, clock, events) = stale_behind_a_wait();
    cache.insert("ada", "stale".into()).await.unwrap();
    clock.advance(2 * SECOND);

    // Tries are put off after failures; these are far enough apart.
    let next = || clock.advance(15 * SECOND);
    let at_once = cache.get_or_load("ada", async || Err::<Bytes, _>("down")).await;
    assert_eq!(at_once.unwrap(), "stale");
    next();
    let slowly = cache.get_or_load("ada", async || {
        settle().await;
        Err::<Bytes, _>("down")
    });
    assert_eq!(slowly.await.unwrap(), "stale");
    settle().await;
    next();
    let scoped = cache.get_or_load_scoped("ada", async || Err::<Bytes, _>("down")).await;
    assert_eq!(scoped.unwrap(), "stale");
    next();
    let panicking: Loader<Bytes> = Loader::panicking("down");
    assert_eq!(cache.get_or_load("ada", panicking.load()).await.unwrap(), "stale");
    settle().await;
    assert_eq!((events.failed_reloads(), cache.stats().load_failures, cache.stats().reloads), (4, 4, 4));
}

#[tokio::test]
async fn a_stale_hit_is_one_hit_and_no_miss_whatever_is_asked_behind_it() {
    let (clock, back) = (MockClock::new(), FakeBytes::new());
    for ttl_behind in [SECOND, 100 * SECOND] {
        let cache = Cache::new(Fake::<str, Bytes>::new())
            .ttl(SECOND)
            .stale(100 * SECOND)
            .chain(Cache::new(back.clone()).ttl(ttl_behind))
            .clock(clock.clone());
        cache.insert("ada", "countess".into()).await.unwrap();
        clock.advance(2 * SECOND);
        cache.get("ada").await.unwrap();
        settle().await;
        assert_eq!((cache.stats().hits(), cache.stats().misses()), (1, 0));
    }
}

#[tokio::test]
async fn a_reload_that_asks_for_what_was_made_from_its_stale_value_is_no_cycle() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, Bytes>::new())
        .ttl(SECOND)
        .chain(Cache::new(FakeBytes::new()).ttl(SECOND).stale(100 * SECOND))
        .clock(clock.clone())
        .boxed();
    cache.insert("part", "old".into()).await.unwrap();
    clock.advance(2 * SECOND);
    let (inner, innermost) = (cache.clone(), cache.clone());

    // `whole` is made from the stale `part` at once; the reload of `part` then asks for `whole`.
    let whole = cache.get_or_load("whole", async move || {
        inner
            .get_or_load("part", async move || {
                innermost
                    .get_or_load("whole", async || Ok::<_, String>(Bytes::new()))
                    .await
                    .map_err(|e| e.to_string())
            })
            .await
            .map_err(|error| error.to_string())
    });
    assert_eq!(whole.await.unwrap(), "old");
    settle().await;
    assert_eq!(cache.stats().load_failures, 0);
    assert_eq!(cache.get("part").await.unwrap(), Some("old".into()), "what `whole` is");
}

#[tokio::test]
async fn an_older_entry_below_does_not_replace_a_newer_one_in_front() {
    let (clock, lower) = (MockClock::new(), FakeBytes::new());
    let users = Cache::new(Fake::<str, u32>::new())
        .ttl(10 * SECOND)
        .chain(Cache::new(lower.clone()).codec(larder::Json).ttl(1_000 * SECOND))
        .stale(1_000 * SECOND)
        .clock(clock.clone());
    users.insert("ada", 35).await.unwrap();
    clock.advance(5 * SECOND);
    lower.fail(&[Operation::Write]);
    assert!(users.insert("ada", 36).await.is_err(), "the lower level has the older value");
    lower.fail(&[]);
    clock.advance(10 * SECOND);

    let loader = Loader::<u32>::value(37);
    assert_eq!(users.get("ada").await.unwrap(), Some(36));
    settle().await;
    assert_eq!(users.lookup("ada").await.unwrap().unwrap().freshness(), Freshness::Stale);
    settle().await;
    assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
    settle().await;
    assert_eq!((loader.loads(), users.get("ada").await.unwrap()), (1, Some(37)));
}
