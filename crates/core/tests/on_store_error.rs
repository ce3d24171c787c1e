//! Whether a read passes over a level that fails, or fails with it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{BreakerState, Cache, CallOptions, Error, ErrorKind, LoadError, OnStoreError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const READ: Operation = Operation::Read;

struct Setting {
    cache: Cache<str, Bytes>,
    middle: FakeBytes,
    last: FakeBytes,
    clock: MockClock,
    events: Recorder,
}

/// Memory, a level that can fail, and another one behind it; a read that fails is to be an error.
fn strict() -> Setting {
    let (middle, last) = (FakeBytes::new(), FakeBytes::new());
    let (clock, events) = (MockClock::new(), Recorder::new());
    let cache = Cache::new(Fake::<str, Bytes>::new())
        .ttl(SECOND)
        .stale(SECOND)
        .stale_if_error(100 * SECOND)
        .chain(Cache::new(middle.clone()))
        .chain(Cache::new(last.clone()))
        .on_store_error(OnStoreError::Fail)
        .clock(clock.clone())
        .observer(events.clone())
        .boxed();
    Setting { cache, middle, last, clock, events }
}

fn is_of_the_middle(error: &Error) -> bool {
    (error.kind(), error.level()) == (ErrorKind::Store, Some("L2 FakeBytes"))
}

#[tokio::test]
async fn each_read_returns_the_error_and_asks_no_level_behind() {
    let Setting { cache, middle, last, events, .. } = strict();
    middle.fail(&[READ]);
    assert!(is_of_the_middle(&cache.get("ada").await.unwrap_err()));
    assert!(is_of_the_middle(&cache.lookup("ada").await.unwrap_err()));
    assert!(is_of_the_middle(&cache.contains("ada").await.unwrap_err()));
    assert_eq!(last.count(READ), 0);
    assert_eq!(events.failures().len(), 3);
}

#[tokio::test]
async fn a_load_is_not_begun_and_all_who_wait_get_the_same_error() {
    let Setting { cache, middle, .. } = strict();
    middle.fail(&[READ]);
    middle.gate(READ).close();
    let loader: Loader<Bytes, Error> = Loader::value("countess".into());
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let (cache, load) = (cache.clone(), loader.load());
            tokio::spawn(async move { cache.get_or_load("ada", load).await })
        })
        .collect();
    settle().await;
    middle.gate(READ).open();
    for caller in callers {
        let error = caller.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "L2 FakeBytes: the store failed");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the fake was told to fail");
        assert!(matches!(error, LoadError::Store(error) if is_of_the_middle(&error)));
    }
    assert_eq!((loader.loads(), middle.count(READ)), (0, 1));

    let text = String::from("scoped");
    let scoped = cache.get_or_load_scoped("ada", async || Ok::<_, String>(text.clone().into())).await;
    assert!(matches!(scoped, Err(LoadError::Store(_))));
}

#[tokio::test]
async fn a_level_before_that_has_it_fresh_or_stale_has_answered() {
    let Setting { cache, middle, clock, .. } = strict();
    cache.insert("ada", "countess".into()).await.unwrap();
    middle.fail(&[READ]);
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    clock.advance(SECOND);
    let loader: Loader<Bytes> = Loader::value("never".into());
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    settle().await;
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
    settle().await;
    assert!(cache.contains("ada").await.unwrap());
    assert_eq!(loader.loads(), 0, "nor does the reload behind it load");

    clock.advance(SECOND);
    assert!(is_of_the_middle(&cache.get("ada").await.unwrap_err()));
    let kept = cache.get_or_load("ada", loader.load()).await;
    assert!(matches!(kept, Err(LoadError::Store(_))), "what is kept is for loads that fail");
}

#[tokio::test]
async fn a_stale_answer_of_a_level_that_waits_counts_as_one_too() {
    let (front, back, clock) = (Fake::<str, Bytes>::remote(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front)
        .ttl(SECOND)
        .stale(100 * SECOND)
        .chain(Cache::new(back.clone()))
        .on_store_error(OnStoreError::Fail)
        .clock(clock.clone());
    cache.insert("ada", "countess".into()).await.unwrap();
    back.fail(&[READ]);
    clock.advance(SECOND);
    let loader: Loader<Bytes> = Loader::value("never".into());
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    assert!(cache.contains("ada").await.unwrap());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
    settle().await;
    assert_eq!(loader.loads(), 0);
}

#[tokio::test]
async fn damaged_bytes_are_a_miss_all_the_same() {
    let Setting { cache, middle, events, .. } = strict();
    middle.put_raw("larder:ada", "no envelope");
    assert_eq!(cache.get("ada").await.unwrap(), None);
    let loader: Loader<Bytes> = Loader::value("countess".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
    assert_eq!(events.failures()[0].kind, ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_loaded_value_reaches_its_caller_though_no_level_takes_it() {
    let Setting { cache, middle, last, .. } = strict();
    middle.fail(&[Operation::Write]);
    last.fail(&[Operation::Write]);
    let loader: Loader<Bytes> = Loader::value("countess".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
}

#[tokio::test]
async fn what_has_no_error_to_return_passes_over_the_level() {
    let Setting { cache, middle, .. } = strict();
    middle.fail(&[READ]);
    let made = cache.get_or_insert_with("ada", async || "countess".into()).await;
    assert_eq!(made, "countess");
}

#[tokio::test]
async fn no_answer_in_time_and_an_open_breaker_are_failures_too() {
    let Setting { cache, middle, clock, .. } = strict();
    middle.gate(READ).close();
    for _ in 0..10 {
        let reader = cache.clone();
        let read = tokio::spawn(async move { reader.get("ada").await });
        clock.run(SECOND).await;
        assert_eq!(read.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert_eq!(cache.stats().levels[1].breaker, Some(BreakerState::Open));
    assert_eq!(cache.get("ada").await.unwrap_err().kind(), ErrorKind::BreakerOpen);
}

#[tokio::test]
async fn each_handle_decides_for_itself_whoever_began_the_read() {
    let Setting { cache: strict, middle, .. } = strict();
    let lenient = strict.clone().on_store_error(OnStoreError::Degrade);
    middle.fail(&[READ]);
    for strict_first in [true, false] {
        middle.gate(READ).close();
        let (first, second) = if strict_first { (&strict, &lenient) } else { (&lenient, &strict) };
        let get = |cache: &Cache<str, Bytes>| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.get("ada").await })
        };
        let first = get(first);
        settle().await;
        let second = get(second);
        settle().await;
        middle.gate(READ).open();
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let (strict, lenient) = if strict_first { (first, second) } else { (second, first) };
        assert!(is_of_the_middle(&strict.unwrap_err()));
        assert_eq!(lenient.unwrap(), None);
    }
    assert_eq!(middle.count(READ), 2, "they were one read each time");

    middle.gate(READ).close();
    let loader: Loader<Bytes> = Loader::value("countess".into());
    let load = |cache: &Cache<str, Bytes>| {
        let (cache, load) = (cache.clone(), loader.load());
        tokio::spawn(async move { cache.get_or_load("ada", load).await })
    };
    let first = load(&strict);
    settle().await;
    let second = load(&lenient);
    settle().await;
    middle.gate(READ).open();
    assert!(matches!(first.await.unwrap(), Err(LoadError::Store(_))));
    assert_eq!(second.await.unwrap().unwrap(), "countess", "who does not mind begins again");
}

#[tokio::test]
async fn without_a_word_a_failing_level_is_passed_over() {
    let (back, loader) = (FakeBytes::new(), Loader::<Bytes>::value("countess".into()));
    back.fail(&[READ]);
    let cache = Cache::<str, Bytes, _, _>::new(back);
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert!(!cache.contains("ada").await.unwrap());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
}

#[test]
#[should_panic(expected = "say it after `.chain`")]
fn on_the_right_side_of_a_chain_it_panics_and_names_the_cure() {
    let right = Cache::new(FakeBytes::new()).on_store_error(OnStoreError::Fail);
    drop(Cache::new(Fake::<str, Bytes>::new()).chain(right));
}

#[tokio::test]
async fn on_the_left_side_it_is_the_wholes() {
    let back = FakeBytes::new();
    back.fail(&[READ]);
    let left = Cache::new(Fake::<str, Bytes>::new()).on_store_error(OnStoreError::Fail);
    assert!(left.chain(Cache::new(back)).get("ada").await.is_err());
}

#[tokio::test]
async fn a_read_that_lets_kept_values_do_is_answered_in_front_of_the_level_that_failed_and_else_fails() {
    let setting = strict();
    setting.cache.insert("ada", "36".into()).await.unwrap();
    setting.clock.advance(2 * SECOND);
    setting.middle.fail(&[READ]);

    let lax = setting.cache.with(CallOptions::allow_stale);
    assert_eq!(lax.get("ada").await.unwrap(), Some("36".into()));
    assert!(is_of_the_middle(&lax.get("bob").await.unwrap_err()));
    assert!(is_of_the_middle(&setting.cache.get("ada").await.unwrap_err()));
}
