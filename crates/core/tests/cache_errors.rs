//! Remembered errors: the error of a load answers the calls after it, until its time is over or someone writes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Holds, LoadError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Failing = Loader<Bytes, &'static str>;

fn remembered(answer: Result<Bytes, LoadError<&'static str>>) -> &'static str {
    match answer {
        Err(LoadError::Load(error)) => *error,
        other => panic!("{other:?}"),
    }
}

/// One level in memory, one of bytes, a chain, and a boxed chain do the same.
macro_rules! in_all_forms {
    ($name:ident, |$cache:ident, $clock:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check<S, C>($cache: Cache<str, Bytes, S, C>, $clock: MockClock)
            where
                S: Send + Sync + 'static,
                C: Holds<S, str, Bytes>,
            {
                let $cache = $cache.cache_errors(10 * SECOND, |_: &&'static str| true).clock($clock.clone());
                $body
            }

            #[tokio::test]
            async fn in_memory() {
                check(Cache::new(Fake::new()).ttl(60 * SECOND), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_bytes() {
                check(Cache::new(FakeBytes::new()).ttl(60 * SECOND), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_chain() {
                let cache = Cache::new(Fake::new()).ttl(60 * SECOND).chain(Cache::new(FakeBytes::new()));
                check(cache, MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_boxed_chain() {
                let cache = Cache::new(Fake::new()).ttl(60 * SECOND).chain(Cache::new(FakeBytes::new()));
                check(cache.boxed(), MockClock::new()).await;
            }
        }
    };
}

in_all_forms!(an_error_answers_until_its_time_is_over, |cache, clock| {
    let failing = Failing::failing("no such user").then_value("ada".into());
    assert_eq!(remembered(cache.get_or_load("ada", failing.load()).await), "no such user");
    clock.advance(10 * SECOND - Duration::from_millis(1));
    for _ in 0..3 {
        assert_eq!(remembered(cache.get_or_load("ada", failing.load()).await), "no such user");
        assert_eq!(remembered(cache.get_or_load_scoped("ada", failing.load()).await), "no such user");
    }
    assert_eq!((failing.loads(), cache.stats().remembered_errors), (1, 6));

    clock.advance(Duration::from_millis(1));
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "ada");
});

in_all_forms!(an_error_is_for_its_key_and_for_callers_that_expect_its_type, |cache, _clock| {
    let failing = Failing::failing("no such user");
    remembered(cache.get_or_load("ada", failing.load()).await);

    let other: Loader<Bytes, u32> = Loader::failing(404);
    assert_eq!(cache.get_or_load("ada", other.load()).await.unwrap_err().as_load(), Some(&404));
    assert_eq!(cache.get_or_load("bob", failing.load()).await.unwrap_err().as_load(), Some(&"no such user"));
    assert_eq!((failing.loads(), other.loads(), cache.stats().remembered_errors), (2, 1, 0));
});

in_all_forms!(what_writes_the_key_forgets_its_error, |cache, _clock| {
    for forgets in 0..4 {
        let failing = Failing::failing("no such user");
        remembered(cache.get_or_load("ada", failing.load()).await);
        match forgets {
            0 => cache.insert("ada", "countess".into()).await.unwrap(),
            1 => cache.remove("ada").await.unwrap(),
            2 => cache.expire("ada").await.unwrap(),
            _ => cache.clear().await.unwrap(),
        }
        // A value that was inserted is not what this is about.
        cache.remove("ada").await.unwrap();
        assert_eq!(cache.get_or_load("ada", Failing::value("new".into()).load()).await.unwrap(), "new");
        cache.remove("ada").await.unwrap();
    }
});

in_all_forms!(a_load_that_fails_after_the_key_was_written_is_not_remembered, |cache, _clock| {
    for forgets in 0..4 {
        let failing = Failing::failing("no such user").gated();
        let call = tokio::spawn({
            let (cache, load) = (cache.clone(), failing.load());
            async move { cache.get_or_load("ada", load).await }
        });
        failing.gate().reached(1).await;
        match forgets {
            0 => cache.insert_with("ada", "!".into(), |entry| entry.ttl(Duration::ZERO)).await.unwrap(),
            1 => cache.remove("ada").await.unwrap(),
            2 => cache.expire("ada").await.unwrap(),
            _ => cache.clear().await.unwrap(),
        }
        failing.gate().open();
        assert_eq!(remembered(call.await.unwrap()), "no such user", "who waited gets it");
        assert_eq!(cache.get_or_load("ada", Failing::value("new".into()).load()).await.unwrap(), "new");
        cache.remove("ada").await.unwrap();
    }
});

in_all_forms!(a_forced_refresh_loads_and_its_value_ends_the_memory, |cache, _clock| {
    remembered(cache.get_or_load("ada", Failing::failing("no such user").load()).await);
    let forced = cache.with(larder_core::CallOptions::force_refresh);
    assert_eq!(forced.get_or_load("ada", Failing::value("new".into()).load()).await.unwrap(), "new");
    cache.remove("ada").await.unwrap();
    assert_eq!(cache.get_or_load("ada", Failing::value("newer".into()).load()).await.unwrap(), "newer");
});

fn texts() -> Cache<str, Bytes> {
    Cache::new(Fake::new()).clock(MockClock::new()).boxed()
}

#[tokio::test]
async fn only_chosen_errors_are_remembered_and_for_each_the_first_rule_that_says_yes_counts() {
    let clock = MockClock::new();
    let cache = texts()
        .clock(clock.clone())
        .cache_errors(5 * SECOND, |error: &&'static str| error.starts_with("no such"))
        .cache_errors(50 * SECOND, |error: &&'static str| *error != "no connection")
        .cache_errors(50 * SECOND, |_: &u32| true);
    let loads = async |error: &'static str, after: Duration| {
        cache.remove("ada").await.unwrap();
        let failing = Failing::failing(error);
        remembered(cache.get_or_load("ada", failing.load()).await);
        clock.advance(after);
        remembered(cache.get_or_load("ada", failing.load()).await);
        failing.loads()
    };
    assert_eq!(loads("no connection", Duration::ZERO).await, 2);
    assert_eq!(loads("no such user", 4 * SECOND).await, 1);
    assert_eq!(loads("no such user", 5 * SECOND).await, 2, "the first rule, not the second");
    assert_eq!(loads("banned", 49 * SECOND).await, 1);

    let number: Loader<Bytes, u32> = Loader::failing(404);
    cache.remove("ada").await.unwrap();
    for _ in 0..2 {
        assert_eq!(cache.get_or_load("ada", number.load()).await.unwrap_err().as_load(), Some(&404));
    }
    assert_eq!(number.loads(), 1, "and each type has rules of its own");
}

#[tokio::test]
async fn an_error_in_whose_place_something_old_was_served_is_not_remembered() {
    let clock = MockClock::new();
    let cache = texts()
        .clock(clock.clone())
        .ttl(10 * SECOND)
        .stale_if_error(20 * SECOND)
        .retry_after(SECOND)
        .cache_errors(1_000 * SECOND, |_: &&'static str| true);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(10 * SECOND);
    let failing = Failing::failing("down").then_failing("still down").then_value("new".into());
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "old");
    clock.advance(20 * SECOND);

    assert_eq!(remembered(cache.get_or_load("ada", failing.load()).await), "still down");
    assert_eq!(remembered(cache.get_or_load("ada", failing.load()).await), "still down");
    assert_eq!(failing.loads(), 2);
}

#[tokio::test]
async fn a_panic_is_not_remembered() {
    let cache = texts().cache_errors(10 * SECOND, |_: &&'static str| true);
    let loader = Failing::panicking("a bug").then_value("new".into());
    assert!(matches!(cache.get_or_load("ada", loader.load()).await, Err(LoadError::Panicked(_))));
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "new");
}

#[tokio::test]
async fn a_rule_that_panics_remembers_nothing_and_leaves_callers_their_error() {
    let cache = texts().cache_errors(10 * SECOND, |_: &&'static str| panic!("a bug"));
    for _ in 0..2 {
        assert_eq!(remembered(cache.get_or_load("ada", Failing::failing("down").load()).await), "down");
    }
    assert_eq!((cache.stats().loads, cache.stats().load_failures), (2, 2));
}

#[tokio::test]
async fn what_another_process_stored_behind_is_found_while_an_error_is_remembered() {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(back.clone()).ttl(SECOND).stale_if_error(60 * SECOND))
        .cache_errors(10 * SECOND, |_: &&'static str| true)
        .clock(clock.clone());
    let failing = Failing::failing("no such user");
    remembered(cache.get_or_load("ada", failing.load()).await);
    let theirs = Cache::<str, Bytes, _, _>::new(back.clone()).clock(clock.clone());
    theirs.insert("ada", "theirs".into()).await.unwrap();

    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "theirs");
    assert_eq!((failing.loads(), cache.stats().remembered_errors), (1, 0));
}

#[tokio::test]
async fn all_who_join_while_the_level_behind_is_asked_get_the_remembered_error() {
    let back = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(back.clone()))
        .cache_errors(10 * SECOND, |_: &&'static str| true)
        .clock(MockClock::new());
    let failing = Failing::failing("no such user");
    remembered(cache.get_or_load("ada", failing.load()).await);
    back.gate(Operation::Read).close();
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (cache, load) = (cache.clone(), failing.load());
            tokio::spawn(async move { cache.get_or_load("ada", load).await })
        })
        .collect();
    settle().await;
    back.gate(Operation::Read).open();
    for caller in callers {
        assert_eq!(remembered(caller.await.unwrap()), "no such user");
    }
    assert_eq!((failing.loads(), back.count(Operation::Read)), (1, 2));
}

#[tokio::test]
async fn however_many_keys_fail_the_newest_is_remembered() {
    let cache = Cache::<u64, u64, _, _>::new(Fake::new()).cache_errors(10 * SECOND, |_: &&'static str| true);
    let failing: Loader<u64, &'static str> = Loader::failing("no such user");
    for key in 0..30_000 {
        assert!(cache.get_or_load_scoped(&key, failing.load()).await.is_err());
        assert!(cache.get_or_load_scoped(&key, failing.load()).await.is_err());
    }
    assert_eq!(failing.loads(), 30_000);
    for key in 0..30_000 {
        assert!(cache.get_or_load_scoped(&key, failing.load()).await.is_err());
    }
    assert!(failing.loads() > 40_000, "a part of them was forgotten");
}

#[tokio::test]
async fn where_something_kept_has_turned_up_behind_it_is_tried_and_that_covers_it() {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(back.clone()))
        .cache_errors(10 * SECOND, |_: &&'static str| true)
        .clock(clock.clone());
    let failing = Failing::failing("down");
    remembered(cache.get_or_load("ada", failing.load()).await);
    let theirs =
        Cache::<str, Bytes, _, _>::new(back).ttl(SECOND).stale_if_error(60 * SECOND).clock(clock.clone());
    theirs.insert("ada", "theirs".into()).await.unwrap();
    clock.advance(2 * SECOND);
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "theirs");
    assert_eq!((failing.loads(), cache.stats().remembered_errors), (2, 0));
}

/// A load that finds nothing says what it looked at: who adds that invalidates the tag.
#[tokio::test]
async fn an_error_is_forgotten_when_a_tag_of_its_load_is_invalidated() {
    let clock = MockClock::new();
    let users =
        Cache::new(Fake::<str, u32>::new()).cache_errors(60 * SECOND, |_: &&str| true).clock(clock.clone());
    let teams = Cache::new(Fake::<str, u32>::new()).clock(clock.clone());
    teams.insert_with("red", 7, |entry| entry.tag("team:red")).await.unwrap();
    let none = async |answer| {
        let teams = teams.clone();
        let load = async move || {
            larder_core::load::tag("users");
            teams.get("red").await.unwrap();
            Err::<u32, _>(answer)
        };
        match users.get_or_load("ada", load).await {
            Err(LoadError::Load(error)) => *error,
            other => panic!("{other:?}"),
        }
    };

    assert_eq!(none("first").await, "first");
    users.invalidate_tag("others").await.unwrap();
    assert_eq!(none("not asked").await, "first");
    users.invalidate_tag("users").await.unwrap();
    assert_eq!(none("second").await, "second");
    teams.invalidate_tag("team:red").await.unwrap();
    assert_eq!(none("third").await, "third", "also by what it was made from");
    assert_eq!(none("not asked").await, "third");
}
