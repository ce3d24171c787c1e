//! Levels behind levels: who is asked, what is copied up, and how long it lives there (promises 4 and 6).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Freshness, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn reads(fake: &Fake<str, Bytes>) -> usize {
    fake.count(Operation::Read)
}

/// Static and boxed forms of a chain do the same.
macro_rules! in_both_forms {
    ($name:ident, |$cache:ident, $front:ident, $back:ident, $clock:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check<S, C>(
                $cache: Cache<str, Bytes, S, C>,
                $front: Fake<str, Bytes>,
                $back: FakeBytes,
                $clock: MockClock,
            ) where
                S: Send + Sync + 'static,
                C: larder_core::Holds<S, str, Bytes>,
            $body

            #[tokio::test]
            async fn static_form() {
                let (front, back, clock) = (Fake::new(), FakeBytes::new(), MockClock::new());
                let cache = Cache::new(front.clone())
                    .ttl(10 * SECOND)
                    .chain(Cache::new(back.clone()).ttl(100 * SECOND))
                    .clock(clock.clone());
                check(cache, front, back, clock).await;
            }

            #[tokio::test]
            async fn boxed_form() {
                let (front, back, clock) = (Fake::new(), FakeBytes::new(), MockClock::new());
                let cache = Cache::new(front.clone())
                    .ttl(10 * SECOND)
                    .chain(Cache::new(back.clone()).ttl(100 * SECOND).boxed())
                    .clock(clock.clone())
                    .boxed();
                check(cache, front, back, clock).await;
            }
        }
    };
}

in_both_forms!(
    what_has_expired_in_front_is_answered_from_behind_with_one_look_each,
    |cache, front, back, clock| {
        cache.insert("ada", "countess".into()).await.unwrap();
        clock.advance(10 * SECOND);
        let before = (reads(&front), back.count(Operation::Read));

        let loader: Loader<Bytes> = Loader::value("never".into());
        assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");

        assert_eq!(loader.loads(), 0);
        assert_eq!((reads(&front) - before.0, back.count(Operation::Read) - before.1), (1, 1));

        clock.advance(10 * SECOND);
        let before = (reads(&front), back.count(Operation::Read));
        assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
        assert_eq!((reads(&front) - before.0, back.count(Operation::Read) - before.1), (1, 1));
    }
);

in_both_forms!(a_miss_looks_at_each_level_once, |cache, front, back, _clock| {
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert_eq!((reads(&front), back.count(Operation::Read)), (1, 1));

    let loader: Loader<Bytes> = Loader::value("countess".into());
    cache.get_or_load("ada", loader.load()).await.unwrap();
    assert_eq!((reads(&front), back.count(Operation::Read), loader.loads()), (2, 2, 1));

    let text = String::from("bob");
    cache.get_or_load_scoped("bob", async || Ok::<_, String>(text.clone().into())).await.unwrap();
    assert_eq!((reads(&front), back.count(Operation::Read)), (3, 3));
});

in_both_forms!(a_hit_in_front_does_not_ask_behind, |cache, front, back, _clock| {
    cache.insert("ada", "countess".into()).await.unwrap();
    for _ in 0..5 {
        cache.get("ada").await.unwrap();
    }
    assert_eq!((reads(&front), back.count(Operation::Read)), (5, 0));
    assert_eq!(cache.stats().levels[0].fresh_hits, 5);
});

in_both_forms!(
    copies_live_for_what_is_left_at_the_source_and_promotion_goes_on,
    |cache, front, _back, clock| {
        cache.insert("ada", "countess".into()).await.unwrap();
        // Once L1's ttl has passed, every copy lives L1's ttl again, until L2 has less left than that.
        for second in [10, 20, 30, 95] {
            let now = second * SECOND - cache.lookup("ada").await.unwrap().unwrap().age();
            clock.advance(now);
            assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 1, "after {second} s");
            let found = cache.lookup("ada").await.unwrap().unwrap();
            assert_eq!(found.level(), 0, "promoted after {second} s");
            assert_eq!(found.ttl_left(), Some((10 * SECOND).min((100 - second) * SECOND)));
            assert_eq!(found.age(), second * SECOND, "the age is the value's, not the copy's");
        }
        clock.advance(5 * SECOND);
        assert_eq!(cache.get("ada").await.unwrap(), None);
        assert_eq!(front.len(), 0, "the clock has swept");
    }
);

in_both_forms!(a_broken_second_level_breaks_no_call, |cache, _front, back, _clock| {
    back.fail(&[Operation::Read, Operation::Write]);
    assert_eq!(cache.get("ada").await.unwrap(), None);
    let loader: Loader<Bytes> = Loader::value("countess".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    assert_eq!(cache.stats().levels[1].errors, 3);
});

#[tokio::test]
async fn a_broken_first_level_breaks_no_call() {
    let (front, back, events) = (Fake::<str, Bytes>::remote(), FakeBytes::new(), Recorder::new());
    let cache = Cache::new(front.clone()).chain(Cache::new(back)).observer(events.clone());
    cache.insert("ada", "countess".into()).await.unwrap();
    front.fail(&[Operation::Read, Operation::Write]);

    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    let failures = events.failures();
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(failures.iter().all(|failure| failure.level == "L1 Fake"));
}

#[tokio::test]
async fn an_insert_that_a_level_refuses_is_an_error_and_the_other_levels_have_the_value() {
    let (front, back) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    let cache = Cache::new(front.clone()).chain(Cache::new(back.clone()));
    back.fail(&[Operation::Write]);

    let error = cache.insert("ada", "countess".into()).await.unwrap_err();

    assert_eq!(error.to_string(), "L2 FakeBytes: the store failed");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the fake was told to fail");
    assert_eq!(front.len(), 1);
}

#[tokio::test]
async fn a_stale_entry_in_front_does_not_hide_a_fresh_one_behind_it() {
    let (front, middle, clock) = (Fake::<str, Bytes>::remote(), Fake::remote(), MockClock::new());
    let cache = Cache::new(front)
        .ttl(SECOND)
        .stale(100 * SECOND)
        .chain(Cache::new(middle).ttl(50 * SECOND).stale(100 * SECOND))
        .clock(clock.clone());
    cache.insert("ada", "countess".into()).await.unwrap();

    clock.advance(10 * SECOND);
    let found = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.level(), found.freshness()), (1, Freshness::Fresh));

    clock.advance(60 * SECOND);
    let found = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.level(), found.freshness()), (0, Freshness::Stale), "both are stale: the nearest");
}

#[tokio::test]
async fn four_levels_fill_up_from_the_one_that_has_it() {
    let fakes: Vec<_> = (0..4).map(|_| Fake::<str, Bytes>::remote()).collect();
    let level = |number: usize| Cache::new(fakes[number].clone());
    // However it is bracketed, it is one line of levels.
    let left = level(0).chain(level(1)).chain(level(2)).chain(level(3));
    let right = level(0).chain(level(1).chain(level(2).chain(level(3))));
    for cache in [left.boxed(), right.boxed()] {
        cache.insert("ada", "countess".into()).await.unwrap();
        level(0).remove("ada").await.unwrap();
        level(1).remove("ada").await.unwrap();

        assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 2);
        assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 0);
        assert_eq!(level(1).get("ada").await.unwrap(), Some("countess".into()));

        cache.remove("ada").await.unwrap();
        assert!(fakes.iter().all(Fake::is_empty));
    }
}

#[tokio::test]
async fn life_before_the_wall_is_the_levels_and_after_it_the_wholes() {
    let (front, back, clock) = (Fake::<str, Bytes>::new(), Fake::<str, Bytes>::new(), MockClock::new());
    let l1 = Cache::new(front.clone()).clock(clock.clone());
    let l2 = Cache::new(back.clone()).clock(clock.clone());
    let left =
        async |cache: Cache<str, Bytes>| cache.lookup("ada").await.unwrap().unwrap().ttl_left().unwrap();
    let lives = async |cache: Cache<str, Bytes>| {
        cache.insert("ada", "countess".into()).await.unwrap();
        (left(l1.clone().boxed()).await / 1_000_000_000, left(l2.clone().boxed()).await / 1_000_000_000)
    };
    let nanos = Duration::from_nanos;

    let chained = l1.clone().ttl(60 * SECOND).chain(l2.clone().ttl(3600 * SECOND)).clock(clock.clone());
    assert_eq!(lives(chained.clone().boxed()).await, (nanos(60), nanos(3600)));
    // After the wall: the smallest that applies.
    assert_eq!(lives(chained.clone().ttl(600 * SECOND).boxed()).await, (nanos(60), nanos(600)));
    assert_eq!(lives(chained.clone().ttl(5 * SECOND).boxed()).await, (nanos(5), nanos(5)));
    // A call replaces what the whole says, a level's ttl still bounds the level.
    chained.insert_with("ada", "!".into(), |entry| entry.ttl(100 * SECOND)).await.unwrap();
    assert_eq!(left(l1.clone().boxed()).await, 60 * SECOND);
    assert_eq!(left(l2.clone().boxed()).await, 100 * SECOND);
}

#[tokio::test]
async fn a_computed_ttl_sees_key_and_value_and_zero_stores_nothing() {
    let (front, back, clock) = (Fake::<str, u64>::new(), Fake::<str, u64>::new(), MockClock::new());
    let cache = Cache::new(front.clone())
        .chain(Cache::new(back.clone()))
        .ttl_with(|key, seconds| if key == "never" { Duration::ZERO } else { Duration::from_secs(*seconds) })
        .clock(clock.clone());

    cache.insert("ada", 7).await.unwrap();
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(7 * SECOND));
    cache.insert("never", 7).await.unwrap();
    assert_eq!(cache.get("never").await.unwrap(), None);
    assert_eq!(cache.get_or_insert_with("never", async || 9).await, 9);
    // Zero for a key that is there removes it: the older value must not stay.
    cache.insert("ada", 0).await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert_eq!((front.len(), back.len()), (0, 0));
}

#[tokio::test]
async fn jitter_with_a_seed_repeats_and_stays_within_its_fraction() {
    let lives = async |seed| {
        let cache = Cache::new(Fake::<u64, u8>::new()).ttl(100 * SECOND).jitter(0.2).seed(seed);
        let cache = cache.clock(MockClock::new());
        let mut lives = Vec::new();
        for key in 0..50 {
            cache.insert(&key, 0).await.unwrap();
            lives.push(cache.lookup(&key).await.unwrap().unwrap().ttl_left().unwrap());
        }
        lives
    };
    let first = lives(1).await;
    assert_eq!(first, lives(1).await);
    assert_ne!(first, lives(2).await);
    assert!(first.iter().all(|life| (80 * SECOND..=120 * SECOND).contains(life)));
    assert!(first.iter().max() > Some(&(110 * SECOND)) && first.iter().min() < Some(&(90 * SECOND)));
}

#[test]
#[should_panic(expected = "jitter is from 0 to below 1, not 1.5")]
fn an_impossible_jitter_panics_at_construction() {
    drop(Cache::new(Fake::<u64, u8>::new()).jitter(1.5));
}

#[test]
fn debug_shows_the_levels_as_a_tree_and_no_values() {
    let cache = Cache::new(Fake::<str, Bytes>::new())
        .name("users")
        .chain(Cache::new(std::sync::Arc::new(FakeBytes::new())).namespace("u:1"));
    assert_eq!(format!("{cache:?}"), "Cache users\n├ L1 Fake\n└ L2 FakeBytes, Raw, namespace u%3A1");
    assert_eq!(
        format!("{:?}", cache.boxed()),
        "Cache users\n├ L1 Fake\n└ L2 FakeBytes, Raw, namespace u%3A1"
    );
}

#[tokio::test]
async fn a_hundred_readers_of_one_key_ask_behind_once() {
    let (front, back, clock) = (Fake::<str, Bytes>::new(), FakeBytes::new(), MockClock::new());
    let cache =
        Cache::new(front.clone()).ttl(SECOND).chain(Cache::new(back.clone())).clock(clock.clone()).boxed();
    cache.insert("ada", "countess".into()).await.unwrap();
    clock.advance(SECOND);
    back.gate(Operation::Read).close();
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.get("ada").await.unwrap() })
        })
        .collect();
    larder_testkit::settle().await;
    back.gate(Operation::Read).open();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), Some("countess".into()));
    }
    assert_eq!((back.count(Operation::Read), front.count(Operation::Write)), (1, 2));
}

#[tokio::test]
async fn a_read_does_not_wait_for_a_load_that_is_under_way() {
    let (front, back) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    let cache = Cache::new(front).chain(Cache::new(back)).boxed();
    let loader: Loader<Bytes> = Loader::value("countess".into()).gated();
    let load = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    loader.gate().reached(1).await;
    assert_eq!(cache.get("ada").await.unwrap(), None);
    loader.gate().open();
    assert_eq!(load.await.unwrap(), "countess");
}

#[tokio::test]
async fn a_load_joins_a_read_that_is_under_way_and_loads_only_if_that_finds_nothing() {
    for found in [false, true] {
        let (front, back) = (Fake::<str, Bytes>::new(), FakeBytes::new());
        let cache = Cache::new(front).chain(Cache::new(back.clone())).boxed();
        if found {
            Cache::new(back.clone()).insert("ada", Bytes::from("stored")).await.unwrap();
        }
        back.gate(Operation::Read).close();
        let read = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get("ada").await.unwrap() }
        });
        back.gate(Operation::Read).reached(1).await;
        let loader: Loader<Bytes> = Loader::value("loaded".into());
        let load = tokio::spawn({
            let (cache, load) = (cache.clone(), loader.load());
            async move { cache.get_or_load("ada", load).await.unwrap() }
        });
        larder_testkit::settle().await;
        back.gate(Operation::Read).open();

        assert_eq!(read.await.unwrap(), found.then(|| "stored".into()));
        assert_eq!(load.await.unwrap(), if found { "stored" } else { "loaded" });
        assert_eq!(loader.loads(), usize::from(!found));
    }
}

#[tokio::test]
async fn a_computed_ttl_is_asked_for_levels_that_are_written_and_no_others() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (counter, back) = (std::sync::Arc::clone(&asked), FakeBytes::new());
    let count = move |_: &str, _: &Bytes| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        SECOND
    };
    Cache::new(back.clone()).insert("ada", Bytes::from("countess")).await.unwrap();
    let cache = Cache::new(Fake::<str, Bytes>::new()).chain(Cache::new(back).ttl_with(count));
    cache.get("ada").await.unwrap();
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0, "the copy in front is not that level's");
    cache.insert("ada", "countess".into()).await.unwrap();
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}
