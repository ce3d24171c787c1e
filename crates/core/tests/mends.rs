//! What reading the code for faults brought up, each with the story that showed it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Behind, Breaker, Cache, CallOptions, ErrorKind, Freshness, LoadError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Users = Cache<str, u32>;
type Numbers = Loader<u32, &'static str>;

fn two_levels(clock: &MockClock, lower: &FakeBytes) -> Users {
    Cache::new(Fake::<str, u32>::new())
        .ttl(10 * SECOND)
        .chain(Cache::new(lower.clone()).codec(larder::Json).ttl(1_000 * SECOND))
        .clock(clock.clone())
        .boxed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_that_wait_for_each_other_get_a_cycle_on_whichever_threads_they_run() {
    for _ in 0..200 {
        let users: Users = Cache::new(Fake::new()).boxed();
        let ask = |of: &'static str, other: &'static str| {
            let (users, inner) = (users.clone(), users.clone());
            async move {
                let load = async move || {
                    let again = inner.clone();
                    let back = async move || {
                        again.get_or_load(of, async || Ok::<_, &str>(1)).await.map_err(|_| "back")
                    };
                    inner.get_or_load(other, back).await.map_err(|_| "there")
                };
                users.get_or_load(of, load).await
            }
        };
        assert!(ask("ada", "bob").await.is_err());
    }
}

#[tokio::test]
async fn handles_with_another_time_out_share_the_queue() {
    let clock = MockClock::new();
    let store = FakeBytes::new();
    let first = Cache::<str, Bytes, _, _>::new(store.clone())
        .clock(clock.clone())
        .write(Behind::default().every(5 * SECOND));
    let second = first.clone().level_timeout(3 * SECOND).breaker(Breaker::off());

    first.insert("ada", "36".into()).await.unwrap();
    assert_eq!(second.get("ada").await.unwrap().as_deref(), Some(&b"36"[..]));
    second.remove("ada").await.unwrap();
    clock.run(60 * SECOND).await;
    assert_eq!(first.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn what_has_no_error_to_return_waits_for_a_slow_load_its_own_and_that_of_others() {
    let clock = MockClock::new();
    let users: Users = Cache::new(Fake::new()).hard_timeout(SECOND).clock(clock.clone()).boxed();
    let loader = Numbers::value(36).gated();
    let leader = tokio::spawn({
        let (users, load) = (users.clone(), loader.load());
        async move { users.get_or_load("ada", load).await }
    });
    loader.gate().reached(1).await;
    let joined = tokio::spawn({
        let users = users.clone();
        async move { users.get_or_insert_with("ada", async || 1).await }
    });
    let (slow, late) = (clock.clone(), users.clone());
    let own = tokio::spawn(async move {
        let make = async move || {
            larder_core::Clock::sleep(&slow, 100 * SECOND).await;
            2
        };
        users.get_or_insert_with("bob", make).await
    });

    clock.run(2 * SECOND).await;
    assert!(matches!(leader.await.unwrap(), Err(LoadError::Timeout)));
    let late = tokio::spawn(async move { late.get_or_insert_with("ada", async || 1).await });
    settle().await;
    assert!(!joined.is_finished() && !own.is_finished() && !late.is_finished());
    loader.gate().open();
    assert_eq!((joined.await.unwrap(), late.await.unwrap()), (36, 36));
    clock.run(100 * SECOND).await;
    assert_eq!(own.await.unwrap(), 2);
}

#[tokio::test]
async fn while_a_forced_load_runs_others_are_served_what_a_lower_level_has() {
    let (clock, lower) = (MockClock::new(), FakeBytes::new());
    let users = two_levels(&clock, &lower);
    users.insert("ada", 35).await.unwrap();
    clock.advance(10 * SECOND);

    let loader = Numbers::failing("down").gated();
    let forced = tokio::spawn({
        let (users, load) = (users.with(CallOptions::force_refresh), loader.load());
        async move { users.get_or_load("ada", load).await }
    });
    loader.gate().reached(1).await;
    let other = users.get_or_load("ada", async || Err("not asked")).await;
    assert_eq!(other.unwrap(), 35);
    loader.gate().open();
    assert!(forced.await.unwrap().is_err());
}

#[tokio::test]
async fn a_value_that_is_found_below_reaches_its_reader_though_its_copying_panics() {
    let (clock, lower) = (MockClock::new(), FakeBytes::new());
    two_levels(&clock, &lower).insert("ada", 36).await.unwrap();
    let users: Users = Cache::new(Fake::<str, u32>::new())
        .ttl_with(|_, _| panic!("no life for this"))
        .chain(Cache::new(lower.clone()).codec(larder::Json))
        .clock(clock.clone())
        .boxed();
    assert_eq!(users.get("ada").await.unwrap(), Some(36));
    assert_eq!(users.get_or_load("ada", async || Err("not asked")).await.unwrap(), 36);
}

#[tokio::test]
async fn an_older_entry_below_does_not_replace_a_newer_one_in_front() {
    let (clock, lower) = (MockClock::new(), FakeBytes::new());
    let users = two_levels(&clock, &lower).stale(1_000 * SECOND);
    users.insert("ada", 35).await.unwrap();
    clock.advance(5 * SECOND);
    lower.fail(&[Operation::Write]);
    assert!(users.insert("ada", 36).await.is_err(), "the lower level has the older value");
    lower.fail(&[]);
    clock.advance(10 * SECOND);

    let loader = Numbers::value(37);
    assert_eq!(users.get("ada").await.unwrap(), Some(36));
    settle().await;
    assert_eq!(users.lookup("ada").await.unwrap().unwrap().freshness(), Freshness::Stale);
    settle().await;
    assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
    settle().await;
    assert_eq!((loader.loads(), users.get("ada").await.unwrap()), (1, Some(37)));
}

#[tokio::test]
async fn what_is_too_old_in_a_first_level_of_bytes_does_not_hide_what_is_younger_behind() {
    let (clock, front, back) = (MockClock::new(), FakeBytes::new(), FakeBytes::new());
    let level = |store: &FakeBytes| Cache::new(store.clone()).codec(larder::Json);
    let users: Users = level(&front).chain(level(&back)).clock(clock.clone()).boxed();
    users.insert("ada", 35).await.unwrap();
    clock.advance(100 * SECOND);
    let behind: Users = level(&back).clock(clock.clone()).boxed();
    behind.insert("ada", 36).await.unwrap();

    assert_eq!(users.get("ada").await.unwrap(), Some(35));
    assert_eq!(users.with(|call| call.max_age(50 * SECOND)).get("ada").await.unwrap(), Some(36));
}

#[tokio::test]
async fn a_read_that_another_runtime_left_undone_is_done_again() {
    let (clock, lower) = (MockClock::new(), FakeBytes::new());
    let users = two_levels(&clock, &lower);
    two_levels(&clock, &lower).insert("ada", 36).await.unwrap();
    lower.gate(Operation::Read).close();
    let ended = {
        let (users, lower) = (users.clone(), lower.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let read = tokio::spawn(async move { users.get("ada").await });
                lower.gate(Operation::Read).reached(1).await;
                drop(read);
            });
            runtime
        })
    };
    let runtime = ended.join().unwrap();
    let reader = tokio::spawn(async move { users.get("ada").await });
    settle().await;
    runtime.shutdown_background();
    lower.gate(Operation::Read).open();
    assert_eq!(reader.await.unwrap().unwrap(), Some(36));
}

#[tokio::test]
async fn refusals_of_a_queued_write_count_no_writes_and_come_less_and_less_often() {
    let (clock, store, events) = (MockClock::new(), FakeBytes::new(), Recorder::new());
    let cache = Cache::<str, Bytes, _, _>::new(store.clone())
        .clock(clock.clone())
        .observer(events.clone())
        .write(Behind::default().retries(9))
        .breaker(Breaker::default().min_calls(1).open_for(60 * SECOND));
    store.fail(&[Operation::Write]);
    cache.insert("ada", "36".into()).await.unwrap();
    clock.run(50 * SECOND).await;

    let level = &cache.stats().levels[0];
    assert_eq!((level.writes, level.pending), (1, Some(1)));
    assert!(level.skipped < 20, "{} refusals in 50 seconds", level.skipped);
    let shut = tokio::spawn({
        let cache = cache.clone();
        async move { cache.shutdown().await }
    });
    clock.run(3_600 * SECOND).await;
    assert_eq!(
        shut.await.unwrap().unwrap_err().kind(),
        ErrorKind::BreakerOpen,
        "it waits for no store for ever"
    );
}
