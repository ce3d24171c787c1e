//! What stands in for a load that failed, where there is nothing old.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Holds, LoadContext, LoadError, Operation, load};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Failing = Loader<Bytes, &'static str>;

macro_rules! in_all_forms {
    ($name:ident, |$cache:ident, $clock:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check<S, C>($cache: Cache<str, Bytes, S, C>, $clock: MockClock)
            where
                S: Send + Sync + 'static,
                C: Holds<S, str, Bytes>,
            {
                let $cache = $cache
                    .ttl(60 * SECOND)
                    .retry_after(10 * SECOND)
                    .fallback(|key| format!("no {key}").into())
                    .clock($clock.clone());
                $body
            }

            #[tokio::test]
            async fn in_memory() {
                check(Cache::new(Fake::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_bytes() {
                check(Cache::new(FakeBytes::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_chain() {
                let cache = Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new()));
                check(cache, MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_boxed_chain() {
                let cache = Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new()));
                check(cache.boxed(), MockClock::new()).await;
            }
        }
    };
}

// FusionCache 29.
in_all_forms!(it_answers_without_a_load_until_the_next_try_and_is_not_stored, |cache, clock| {
    let loader = Failing::failing("down").then_failing("down").then_value("ada".into());
    for (tries, wait) in [(1, 10), (2, 20)] {
        for _ in 0..3 {
            assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "no ada");
            assert_eq!(cache.get_or_load_scoped("ada", loader.load()).await.unwrap(), "no ada");
        }
        assert_eq!(loader.loads(), tries);
        assert_eq!(cache.get("ada").await.unwrap(), None, "a read without a loader sees nothing of it");
        assert!(!cache.contains("ada").await.unwrap());
        clock.advance((wait - 1) * SECOND);
        assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "no ada");
        clock.advance(SECOND);
    }
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "ada");
    assert_eq!((cache.stats().load_failures, cache.stats().covered), (2, 2));
});

in_all_forms!(it_stands_in_for_a_panic_and_for_all_who_wait, |cache, _clock| {
    let panicking = Failing::panicking("a bug").gated();
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let (cache, load) = (cache.clone(), panicking.load());
            tokio::spawn(async move { cache.get_or_load("ada", load).await })
        })
        .collect();
    settle().await;
    panicking.gate().open();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), "no ada");
    }
    assert_eq!(panicking.loads(), 1);
});

in_all_forms!(something_old_goes_before_it, |cache, clock| {
    let cache = cache.stale_if_error(100 * SECOND);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(60 * SECOND);
    let failing = Failing::failing("down");
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "old");
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "old", "and while it is left alone");
    clock.advance(100 * SECOND);
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "no ada");
    assert_eq!(failing.loads(), 2);
});

in_all_forms!(what_writes_the_key_ends_the_wait_for_the_next_try, |cache, _clock| {
    for forgets in 0..4 {
        let loader = Failing::failing("down").then_value("new".into());
        assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "no ada");
        match forgets {
            0 => cache.insert_with("ada", "!".into(), |entry| entry.ttl(Duration::ZERO)).await.unwrap(),
            1 => cache.remove("ada").await.unwrap(),
            2 => cache.expire("ada").await.unwrap(),
            _ => cache.clear().await.unwrap(),
        }
        assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "new");
        cache.remove("ada").await.unwrap();
    }
});

in_all_forms!(a_load_that_fails_after_the_key_was_written_does_not_put_off_the_next, |cache, _clock| {
    for forgets in 0..4 {
        let loader = Failing::failing("down").then_value("new".into()).gated();
        let call = tokio::spawn({
            let (cache, load) = (cache.clone(), loader.load());
            async move { cache.get_or_load("ada", load).await }
        });
        loader.gate().reached(1).await;
        match forgets {
            0 => cache.insert_with("ada", "!".into(), |entry| entry.ttl(Duration::ZERO)).await.unwrap(),
            1 => cache.remove("ada").await.unwrap(),
            2 => cache.expire("ada").await.unwrap(),
            _ => cache.clear().await.unwrap(),
        }
        loader.gate().open();
        assert_eq!(call.await.unwrap().unwrap(), "no ada");
        assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "new");
        cache.remove("ada").await.unwrap();
    }
});

// FusionCache 31.
in_all_forms!(a_load_that_wants_no_fallback_has_its_error_and_the_next_call_loads, |cache, _clock| {
    let events = Recorder::new();
    let cache = cache.observer(events.clone());
    for loads in 1..=2 {
        let answer = cache.get_or_load("ada", async || {
            load::no_fallback();
            Err::<Bytes, _>("banned")
        });
        assert_eq!(answer.await.unwrap_err().as_load(), Some(&"banned"));
        assert_eq!((cache.stats().loads, cache.stats().covered, events.failed_reloads()), (loads, 0, 0));
    }
});

in_all_forms!(a_call_that_wants_a_new_value_gets_the_error_and_nothing_counts_as_covered, |cache, _clock| {
    let forced = cache.with(larder_core::CallOptions::force_refresh);
    let aged = cache.with(|call| call.max_age(SECOND));
    let failing = Failing::failing("down");
    assert_eq!(forced.get_or_load("ada", failing.load()).await.unwrap_err().as_load(), Some(&"down"));
    assert_eq!(aged.get_or_load("ada", failing.load()).await.unwrap_err().as_load(), Some(&"down"));
    assert_eq!((failing.loads(), cache.stats().covered), (2, 0));
});

#[tokio::test]
async fn a_value_that_another_process_stored_behind_is_found_while_the_loader_is_left_alone() {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(back.clone()))
        .fallback(|_| "nothing".into())
        .clock(clock.clone());
    let failing = Failing::failing("down");
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "nothing");
    Cache::<str, Bytes, _, _>::new(back).clock(clock).insert("ada", "theirs".into()).await.unwrap();

    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "theirs");
    assert_eq!(cache.get("ada").await.unwrap(), Some("theirs".into()));
    assert_eq!(failing.loads(), 1);
}

#[tokio::test]
async fn while_the_loader_is_left_alone_all_who_come_at_once_ask_behind_once() {
    let back = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(back.clone()))
        .fallback(|_| "nothing".into())
        .clock(MockClock::new());
    let failing = Failing::failing("down");
    cache.get_or_load("ada", failing.load()).await.unwrap();
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
        assert_eq!(caller.await.unwrap().unwrap(), "nothing");
    }
    assert_eq!((failing.loads(), back.count(Operation::Read)), (1, 2));
}

#[tokio::test]
async fn only_the_handle_that_has_one_falls_back_on_it() {
    for levels in [1, 2] {
        let plain = match levels {
            1 => Cache::<str, Bytes, _, _>::new(Fake::new()).clock(MockClock::new()).boxed(),
            _ => Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new())).clock(MockClock::new()).boxed(),
        };
        let cache = plain.clone().fallback(|_| "nothing".into());
        let failing = Failing::failing("down");
        assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "nothing");
        assert_eq!(plain.get_or_load("ada", failing.load()).await.unwrap_err().as_load(), Some(&"down"));
        assert_eq!(failing.loads(), 2, "a handle that has none is not spared the try");
    }
}

#[tokio::test]
async fn an_error_that_another_handle_remembered_is_fallen_back_from() {
    for levels in [1, 2] {
        let plain = match levels {
            1 => Cache::<str, Bytes, _, _>::new(Fake::new()).clock(MockClock::new()).boxed(),
            _ => Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new())).clock(MockClock::new()).boxed(),
        };
        let plain = plain.cache_errors(10 * SECOND, |_: &&'static str| true);
        let cache = plain.clone().fallback(|_| "nothing".into());
        let failing = Failing::failing("down");
        assert!(plain.get_or_load("ada", failing.load()).await.is_err());
        assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "nothing");
        assert!(plain.get_or_load("ada", failing.load()).await.is_err());
        assert_eq!(failing.loads(), 1);
    }
}

#[tokio::test]
async fn a_loads_own_delay_stands_in_place_of_the_usual() {
    let clock = MockClock::new();
    let cache =
        Cache::<str, Bytes, _, _>::new(Fake::new()).fallback(|_| "nothing".into()).clock(clock.clone());
    let load = |answer: Result<Bytes, &'static str>| {
        async move |cx: LoadContext<str, Bytes>| {
            cx.retry_after(3 * SECOND);
            answer
        }
    };
    assert_eq!(cache.get_or_load_with("ada", load(Err("busy"))).await.unwrap(), "nothing");
    clock.advance(3 * SECOND - Duration::from_millis(1));
    assert_eq!(cache.get_or_load_with("ada", load(Ok("new".into()))).await.unwrap(), "nothing");
    clock.advance(Duration::from_millis(1));
    assert_eq!(cache.get_or_load_with("ada", load(Ok("new".into()))).await.unwrap(), "new");
}

#[tokio::test]
async fn a_scoped_leader_whose_load_wants_no_fallback_gets_the_error_and_not_what_it_has_at_hand() {
    let clock = MockClock::new();
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new()).ttl(SECOND).stale(SECOND).clock(clock.clone());
    cache.insert("ada", "stale".into()).await.unwrap();
    clock.advance(SECOND);
    let answer = cache.get_or_load_scoped("ada", async || {
        load::no_fallback();
        Err::<Bytes, _>("banned")
    });
    assert!(matches!(answer.await, Err(LoadError::Load(error)) if *error == "banned"));
}

#[tokio::test]
async fn a_scoped_leader_is_not_served_what_died_while_its_load_ran() {
    let clock = MockClock::new();
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new()).ttl(SECOND).stale(SECOND).clock(clock.clone());
    cache.insert("ada", "stale".into()).await.unwrap();
    clock.advance(SECOND);
    let answer = cache.get_or_load_scoped("ada", async || {
        clock.advance(SECOND);
        Err::<Bytes, _>("down")
    });
    assert!(answer.await.is_err());
}

#[tokio::test]
async fn who_joins_a_read_that_finds_nothing_loads_and_does_not_fall_back() {
    let back = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(back.clone()))
        .fallback(|_| "nothing".into())
        .clock(MockClock::new());
    back.gate(Operation::Read).close();
    let read = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get("ada").await.unwrap() }
    });
    back.gate(Operation::Read).reached(1).await;
    let load = tokio::spawn({
        let (cache, load) = (cache.clone(), Failing::value("ada".into()).load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    settle().await;
    back.gate(Operation::Read).open();
    assert_eq!((read.await.unwrap(), load.await.unwrap()), (None, "ada".into()));
}
