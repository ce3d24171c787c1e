//! Absence is a value, with a life of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Codec, Error, ErrorKind, Format, Freshness, Holds, Operation, Result};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Age = Option<u8>;

/// A byte, or none.
struct Ages;

impl Format for Ages {
    const ID: u8 = 96;
}

impl Codec<Age> for Ages {
    fn encode(&self, age: &Age, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(age.as_slice());
        Ok(())
    }
    fn decode(&self, bytes: &Bytes) -> Result<Age> {
        match bytes[..] {
            [] => Ok(None),
            [age] => Ok(Some(age)),
            _ => Err(Error::new(ErrorKind::Codec, "more than a byte")),
        }
    }
}

macro_rules! in_all_forms {
    ($name:ident, |$cache:ident, $clock:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check<S, C>($cache: Cache<str, Age, S, C>, $clock: MockClock)
            where
                S: Send + Sync + 'static,
                C: Holds<S, str, Age>,
            {
                let $cache = $cache
                    .ttl(60 * SECOND)
                    .stale(30 * SECOND)
                    .stale_if_error(1_000 * SECOND)
                    .negative(10 * SECOND)
                    .clock($clock.clone());
                $body
            }

            #[tokio::test]
            async fn in_memory() {
                check(Cache::new(Fake::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_bytes() {
                check(Cache::new(FakeBytes::new()).codec(Ages), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_chain() {
                let back = Cache::new(FakeBytes::new()).codec(Ages);
                check(Cache::new(Fake::new()).chain(back), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_boxed_chain() {
                let back = Cache::new(FakeBytes::new()).codec(Ages);
                check(Cache::new(Fake::new()).chain(back).boxed(), MockClock::new()).await;
            }
        }
    };
}

// FusionCache 3, 8.
in_all_forms!(absence_is_a_hit_for_its_own_time_and_no_longer, |cache, clock| {
    let loader: Loader<Age> = Loader::value(None).then_value(Some(36));
    assert_eq!(cache.get("ada").await.unwrap(), None, "nothing is known");
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), None);
    clock.advance(10 * SECOND - Duration::from_millis(1));
    assert_eq!(cache.get("ada").await.unwrap(), Some(None), "known to be absent");
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), None);
    assert_eq!(loader.loads(), 1);

    clock.advance(Duration::from_millis(1));
    assert_eq!(cache.get("ada").await.unwrap(), None, "neither fresh nor stale");
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), Some(36));
});

in_all_forms!(absence_is_not_kept_for_failures_neither_after_its_end_nor_after_an_expire, |cache, clock| {
    let failing: Loader<Age, &str> = Loader::failing("down");
    cache.insert("ada", None).await.unwrap();
    clock.advance(10 * SECOND);
    assert!(cache.get_or_load("ada", failing.load()).await.is_err());
    cache.insert("ada", None).await.unwrap();
    cache.expire("ada").await.unwrap();
    assert!(cache.get_or_load("ada", failing.load()).await.is_err());
});

in_all_forms!(what_is_present_lives_as_without_it, |cache, clock| {
    cache.insert("ada", Some(36)).await.unwrap();
    clock.advance(60 * SECOND);
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().freshness(), Freshness::Stale);
    clock.advance(30 * SECOND);
    assert_eq!(cache.get("ada").await.unwrap(), None);
    let failing: Loader<Age, &str> = Loader::failing("down");
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), Some(36));
});

in_all_forms!(what_an_insert_a_call_or_a_load_says_prevails, |cache, _clock| {
    let lives = async || {
        let found = cache.lookup("ada").await.unwrap().unwrap();
        (found.ttl_left().unwrap(), found.entry().stale_until().since(found.entry().fresh_until()))
    };
    cache.insert_with("ada", None, |entry| entry.ttl(3 * SECOND).stale(2 * SECOND)).await.unwrap();
    assert_eq!(lives().await, (3 * SECOND, 2 * SECOND));

    cache.with(|call| call.ttl(4 * SECOND)).insert("ada", None).await.unwrap();
    assert_eq!(lives().await, (4 * SECOND, Duration::ZERO));

    cache.remove("ada").await.unwrap();
    let called = cache.with(|call| call.ttl(5 * SECOND).stale(SECOND));
    called.get_or_insert_with("ada", async || None).await;
    assert_eq!(lives().await, (5 * SECOND, SECOND));

    cache.remove("ada").await.unwrap();
    let load = async |cx: larder_core::LoadContext<str, Age>| {
        cx.ttl(6 * SECOND);
        Ok::<_, String>(None)
    };
    called.get_or_load_with("ada", load).await.unwrap();
    assert_eq!(lives().await, (6 * SECOND, SECOND));
});

// FusionCache 9.
in_all_forms!(zero_does_not_store_absence_and_removes_what_was_there, |cache, _clock| {
    let cache = cache.negative(Duration::ZERO);
    cache.insert("ada", Some(36)).await.unwrap();
    let forced = cache.with(larder_core::CallOptions::force_refresh);
    assert_eq!(forced.get_or_insert_with("ada", async || None).await, None);
    assert_eq!(cache.get("ada").await.unwrap(), None);

    cache.insert("ada", Some(36)).await.unwrap();
    cache.insert("ada", None).await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), None);
});

#[tokio::test]
async fn a_level_still_bounds_what_it_keeps() {
    let clock = MockClock::new();
    let cache = Cache::<str, Age, _, _>::new(Fake::new())
        .ttl(2 * SECOND)
        .chain(Cache::new(Fake::new()).ttl(60 * SECOND))
        .negative(10 * SECOND)
        .clock(clock.clone());
    cache.insert("ada", None).await.unwrap();
    let found = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.level(), found.ttl_left()), (0, Some(2 * SECOND)));
    clock.advance(3 * SECOND);
    let found = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.level(), found.ttl_left()), (1, Some(7 * SECOND)));
}

// FusionCache 84.
#[tokio::test]
async fn an_absence_that_another_process_stored_without_an_end_is_copied_for_its_own_time() {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let theirs = Cache::<str, _, _, _>::new(back.clone()).codec(Ages).clock(clock.clone());
    theirs.insert("ada", None).await.unwrap();
    theirs.insert("bob", Some(36)).await.unwrap();
    let cache = Cache::new(Fake::new())
        .chain(Cache::new(back).codec(Ages))
        .stale(30 * SECOND)
        .negative(10 * SECOND)
        .clock(clock.clone());

    for key in ["ada", "bob"] {
        assert_eq!(cache.lookup(key).await.unwrap().unwrap().level(), 1);
    }
    let copy = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!((copy.level(), copy.ttl_left()), (0, Some(10 * SECOND)));
    assert_eq!(copy.entry().stale_until(), copy.entry().fresh_until());
    assert_eq!(cache.lookup("bob").await.unwrap().unwrap().ttl_left(), None);
}

#[tokio::test]
async fn a_stale_value_that_turns_out_to_be_gone_is_replaced_by_absence() {
    let clock = MockClock::new();
    let cache = Cache::<str, Age, _, _>::new(Fake::new())
        .ttl(60 * SECOND)
        .stale(30 * SECOND)
        .negative(10 * SECOND)
        .clock(clock.clone());
    cache.insert("ada", Some(36)).await.unwrap();
    clock.advance(60 * SECOND);
    assert_eq!(cache.get_or_insert_with("ada", async || None).await, Some(36));
    settle().await;
    let found = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!((*found.value(), found.ttl_left()), (None, Some(10 * SECOND)));
}

#[tokio::test]
async fn a_remove_while_absence_is_loaded_wins() {
    let store = Fake::<str, Age>::new();
    let cache = Cache::new(store.clone()).negative(10 * SECOND).clock(MockClock::new());
    let loader: Loader<Age> = Loader::value(None).gated();
    let load = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    loader.gate().reached(1).await;
    cache.insert("ada", Some(36)).await.unwrap();
    loader.gate().open();
    assert_eq!(load.await.unwrap(), None);
    assert_eq!(cache.get("ada").await.unwrap(), Some(Some(36)));
    assert_eq!(store.count(Operation::Write), 1);
}
