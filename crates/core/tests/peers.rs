//! Where other caches fail, and no other file of these tests has it: each is named by the defect.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{ByteStore, Cache, CallOptions, LoadContext, LoadError};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::time::Duration;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

type Users = Cache<str, u32>;
type Numbers = Loader<u32, &'static str>;

fn users(clock: &MockClock) -> Users {
    Cache::new(Fake::new()).clock(clock.clone()).boxed()
}

fn call(users: &Users, loader: &Numbers) -> JoinHandle<Result<u32, LoadError<&'static str>>> {
    let (users, load) = (users.clone(), loader.load());
    tokio::spawn(async move { users.get_or_load("ada", load).await })
}

// rust-peers 6: followers of a leader whose value is not cached stampede.
#[tokio::test]
async fn who_waits_for_a_value_that_is_not_stored_gets_it_without_a_load_of_its_own() {
    let users = users(&MockClock::new()).cache_if(|age| *age > 100);
    let loader = Numbers::value(36).gated();
    let callers: Vec<_> = (0..50).map(|_| call(&users, &loader)).collect();
    settle().await;
    loader.gate().open();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 36);
    }
    assert_eq!((loader.loads(), users.contains("ada").await.unwrap()), (1, false));
}

// rust-peers 7: one table of loads for the whole process.
#[tokio::test]
async fn two_caches_load_the_same_key_independently() {
    let clock = MockClock::new();
    let (mine, theirs) = (users(&clock), users(&clock));
    let (hanging, ready) = (Numbers::value(1).gated(), Numbers::value(2));
    let waiting = call(&mine, &hanging);
    hanging.gate().reached(1).await;

    assert_eq!(call(&theirs, &ready).await.unwrap().unwrap(), 2);
    hanging.gate().open();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}

// rust-peers 8: a table of loads for each method.
#[tokio::test]
async fn every_method_that_loads_joins_the_load_that_another_one_began() {
    let users = users(&MockClock::new());
    let loader = Numbers::value(36).gated();
    let leader = call(&users, &loader);
    loader.gate().reached(1).await;

    let with = tokio::spawn({
        let users = users.clone();
        async move { users.get_or_load_with("ada", async |_: LoadContext<str, u32>| Err("a second load")).await }
    });
    let scoped = tokio::spawn({
        let users = users.clone();
        async move { users.get_or_load_scoped("ada", async || Err("a second load")).await }
    });
    let made = tokio::spawn({
        let users = users.clone();
        async move { users.get_or_insert_with("ada", async || 1).await }
    });
    let read_through = tokio::spawn({
        let users = users.clone().loader(async |_: LoadContext<str, u32>| Err("a second load"));
        async move { users.get("ada").await }
    });
    settle().await;
    loader.gate().open();

    assert_eq!(leader.await.unwrap().unwrap(), 36);
    assert_eq!(with.await.unwrap().unwrap(), 36);
    assert_eq!(scoped.await.unwrap().unwrap(), 36);
    assert_eq!(made.await.unwrap(), 36);
    assert_eq!(read_through.await.unwrap().unwrap(), 36);
    assert_eq!((users.stats().loads, users.stats().joins), (1, 4));
}

// parity A-d1: the lock of a refresh lasts for the whole window.
#[tokio::test]
async fn a_key_that_is_read_often_is_reloaded_each_time_its_ttl_ends() {
    let clock = MockClock::new();
    let users = users(&clock).ttl(100 * MILLISECOND).stale(5 * SECOND);
    let loader = Numbers::value(36);
    for _ in 0..200 {
        users.get_or_load("ada", loader.load()).await.unwrap();
        settle().await;
        clock.advance(10 * MILLISECOND);
    }
    assert_eq!(loader.loads(), 20, "one at first, and one each 100 ms for two seconds");
}

// parity A-d3: the marks of a refresh live among the data.
#[tokio::test]
async fn nothing_but_what_was_put_in_is_found() {
    let (clock, store) = (MockClock::new(), FakeBytes::new());
    let users: Cache<str, String> = Cache::new(store.clone())
        .codec(larder::Json)
        .ttl(SECOND)
        .stale(60 * SECOND)
        .stale_if_error(60 * SECOND)
        .clock(clock.clone())
        .boxed();
    let loader = Loader::<String, &str>::value("ada".into()).then_failing("down").then_value("ada".into());
    for _ in 0..5 {
        users.get_or_load("ada", loader.load()).await.unwrap();
        settle().await;
        clock.advance(SECOND);
    }
    assert_eq!(store.usage().unwrap().entries, 1);
    for key in ["ada:r", "ada:lock", "r", "ada:", ""] {
        assert_eq!(users.get(key).await.unwrap(), None, "{key}");
    }
}

// parity A-d4: nothing holds back the callers of a cold key where values are served stale.
#[tokio::test]
async fn a_hundred_callers_of_a_cold_key_with_a_stale_window_cost_one_load() {
    let users = users(&MockClock::new()).ttl(SECOND).stale(SECOND).stale_if_error(SECOND);
    let loader = Numbers::value(36).gated();
    let callers: Vec<_> = (0..100).map(|_| call(&users, &loader)).collect();
    settle().await;
    loader.gate().open();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 36);
    }
    assert_eq!(loader.loads(), 1);
}

// parity A-d6: the last good value is lost after twice the interval.
#[tokio::test]
async fn the_last_good_value_is_served_for_as_long_as_was_said_whatever_the_ttl() {
    let clock = MockClock::new();
    let users = users(&clock).ttl(SECOND).stale_if_error(3_600 * SECOND);
    let loader = Numbers::value(36).then_failing("down");
    users.get_or_load("ada", loader.load()).await.unwrap();
    for _ in 0..60 {
        clock.advance(60 * SECOND);
        assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
    }
    clock.advance(2 * SECOND);
    assert!(users.get_or_load("ada", loader.load()).await.is_err(), "and no longer");
}

// parity A-d7: whether "nothing" is cached depends on the path.
#[tokio::test]
async fn a_cached_nothing_is_a_hit_fresh_stale_and_from_behind() {
    let clock = MockClock::new();
    let lower = FakeBytes::new();
    let node = || {
        Cache::new(Fake::<str, Option<u32>>::new())
            .chain(Cache::new(lower.clone()).codec(larder::Json))
            .ttl(10 * SECOND)
            .stale(10 * SECOND)
            .clock(clock.clone())
            .boxed()
    };
    let loader = Loader::<Option<u32>, &str>::value(None);
    let (here, there) = (node(), node());
    assert_eq!(here.get_or_load("bob", loader.load()).await.unwrap(), None);
    assert_eq!(here.get("bob").await.unwrap(), Some(None));
    assert_eq!(there.get_or_load("bob", loader.load()).await.unwrap(), None);
    assert_eq!(loader.loads(), 1);

    clock.advance(10 * SECOND);
    assert_eq!(here.get_or_load("bob", loader.load()).await.unwrap(), None);
    settle().await;
    assert_eq!((loader.loads(), here.get("ada").await.unwrap()), (2, None));
}

// parity A-d8, Y-d7: what is removed or refreshed during a load comes back.
#[tokio::test]
async fn a_forced_refresh_does_not_take_what_a_load_before_it_brings() {
    let users = users(&MockClock::new());
    let (old, new) = (Numbers::value(35).gated(), Numbers::value(36));
    let early = call(&users, &old);
    old.gate().reached(1).await;

    let refreshed = users.with(CallOptions::force_refresh);
    assert_eq!(refreshed.get_or_load("ada", new.load()).await.unwrap(), 36);
    old.gate().open();
    assert_eq!(early.await.unwrap().unwrap(), 35, "it asked before");
    assert_eq!(users.get("ada").await.unwrap(), Some(36));
}
