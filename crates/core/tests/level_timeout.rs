//! A store that does not answer in time is passed over, and holds nobody up.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Breaker, BreakerState, Cache, ErrorKind, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::future::Future;
use std::time::Duration;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);
const ALL: [Operation; 4] = [Operation::Read, Operation::Write, Operation::Remove, Operation::Clear];

/// A memory level in front of one that hangs.
fn hanging() -> (Cache<str, Bytes>, FakeBytes, MockClock, Recorder) {
    let (back, clock, events) = (FakeBytes::new(), MockClock::new(), Recorder::new());
    for operation in ALL {
        back.gate(operation).close();
    }
    let cache = Cache::new(Fake::<str, Bytes>::new())
        .chain(Cache::new(back.clone()))
        .clock(clock.clone())
        .observer(events.clone());
    (cache.boxed(), back, clock, events)
}

/// Starts `call`, which is to wait until just before `span` has passed, and to be done then.
async fn bounded<T: Send + 'static>(
    clock: &MockClock,
    span: Duration,
    call: impl Future<Output = T> + Send + 'static,
) -> T {
    let call = tokio::spawn(call);
    clock.run(span - MILLI).await;
    assert!(!call.is_finished(), "it gave up too early");
    clock.run(MILLI).await;
    assert!(call.is_finished(), "it hangs");
    call.await.unwrap()
}

fn spawned<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(call)
}

#[tokio::test]
async fn a_read_passes_over_a_store_that_hangs_after_a_second() {
    let (cache, _back, clock, events) = hanging();
    let get = cache.clone();
    assert_eq!(bounded(&clock, SECOND, async move { get.get("ada").await.unwrap() }).await, None);
    let contains = cache.clone();
    assert!(!bounded(&clock, SECOND, async move { contains.contains("ada").await.unwrap() }).await);
    let lookup = cache.clone();
    assert!(bounded(&clock, SECOND, async move { lookup.lookup("ada").await.unwrap() }).await.is_none());

    let failures = events.failures();
    assert_eq!(failures.len(), 3);
    assert!(failures.iter().all(|failure| failure.kind == ErrorKind::Timeout));
    assert_eq!(
        failures[0].message,
        "L2 FakeBytes: the store did not answer: nothing within 1s; `.level_timeout(d)` allows more"
    );
    assert_eq!(cache.stats().levels[1].errors, 3);
}

#[tokio::test]
async fn a_load_waits_once_for_the_read_and_once_for_the_write_of_a_store_that_hangs() {
    let (cache, _back, clock, _events) = hanging();
    let loader: Loader<Bytes> = Loader::value("countess".into());
    let (load, reader) = (loader.load(), cache.clone());
    let call = async move { reader.get_or_load("ada", load).await.unwrap() };
    assert_eq!(bounded(&clock, 2 * SECOND, call).await, "countess");
    assert_eq!(cache.get_now("ada"), Some("countess".into()), "and the level in front has it");
}

#[tokio::test]
async fn what_is_written_or_removed_at_a_store_that_hangs_is_an_error_after_a_second() {
    let (cache, _back, clock, _events) = hanging();
    let insert = cache.clone();
    let error = bounded(&clock, SECOND, async move { insert.insert("ada", "countess".into()).await });
    assert_eq!(error.await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(cache.get_now("ada"), Some("countess".into()));
    let remove = cache.clone();
    let error = bounded(&clock, SECOND, async move { remove.remove("ada").await }).await.unwrap_err();
    assert_eq!((error.kind(), error.level()), (ErrorKind::Timeout, Some("L2 FakeBytes")));
    assert_eq!(cache.get_now("ada"), None);
}

#[tokio::test]
async fn a_clear_is_given_thirty_seconds_and_what_waits_for_it_goes_on_then() {
    let (cache, _back, clock, _events) = hanging();
    let clear = cache.clone();
    let clear = spawned(async move { clear.clear().await });
    settle().await;
    let writer = cache.clone();
    let insert = spawned(async move { writer.insert("ada", "countess".into()).await });
    clock.run(30 * SECOND - MILLI).await;
    assert!(!clear.is_finished() && !insert.is_finished());
    clock.run(MILLI).await;
    assert_eq!(clear.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    clock.run(SECOND).await;
    assert_eq!(insert.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);

    for (timeout, expected) in [(5 * SECOND, 30 * SECOND), (60 * SECOND, 60 * SECOND)] {
        let (store, clock) = (FakeBytes::new(), MockClock::new());
        store.gate(Operation::Clear).close();
        let cache = Cache::<str, Bytes, _, _>::new(store).level_timeout(timeout).clock(clock.clone());
        assert!(bounded(&clock, expected, async move { cache.clear().await }).await.is_err());
    }
}

#[tokio::test]
async fn the_turn_to_write_a_key_ends_with_the_time_out() {
    let (cache, back, clock, _events) = hanging();
    let first = cache.clone();
    let first = spawned(async move { first.insert("ada", "first".into()).await });
    back.gate(Operation::Write).reached(1).await;
    let second = cache.clone();
    let second = spawned(async move { second.insert("ada", "second".into()).await });
    let removal = cache.clone();
    let removal = spawned(async move { removal.remove("ada").await });
    clock.run(SECOND).await;
    assert!(first.is_finished());
    back.gate(Operation::Write).open();
    back.gate(Operation::Remove).open();
    settle().await;
    second.await.unwrap().unwrap();
    removal.await.unwrap().unwrap();
    assert!(back.keys().is_empty());
}

#[tokio::test]
async fn a_store_of_values_that_is_far_away_is_bounded_too() {
    let (store, clock) = (Fake::<str, u32>::remote(), MockClock::new());
    for operation in ALL {
        store.gate(operation).close();
    }
    let cache = Cache::new(store).level_timeout(3 * SECOND).clock(clock.clone());
    let get = cache.clone();
    assert_eq!(bounded(&clock, 3 * SECOND, async move { get.get("ada").await.unwrap() }).await, None);
    let insert = cache.clone();
    assert!(bounded(&clock, 3 * SECOND, async move { insert.insert("ada", 36).await }).await.is_err());
    let remove = cache.clone();
    assert!(bounded(&clock, 3 * SECOND, async move { remove.remove("ada").await }).await.is_err());
    assert!(bounded(&clock, 30 * SECOND, async move { cache.clear().await }).await.is_err());
}

#[tokio::test]
async fn an_answer_in_time_counts_and_leaves_no_timer_behind() {
    let (cache, back, clock, events) = hanging();
    let reader = cache.clone();
    let read = spawned(async move { reader.get("ada").await.unwrap() });
    clock.run(SECOND - MILLI).await;
    assert_eq!(clock.timers(), 1);
    back.gate(Operation::Read).open();
    assert_eq!(read.await.unwrap(), None);
    assert_eq!((clock.timers(), events.failures().len()), (0, 0));
}

#[tokio::test]
async fn an_answer_that_comes_together_with_the_timer_counts() {
    let (store, clock) = (FakeBytes::new(), MockClock::new());
    let cache = Cache::<str, Bytes, _, _>::new(store.clone()).clock(clock.clone()).boxed();
    cache.insert("ada", "countess".into()).await.unwrap();
    store.gate(Operation::Read).close();
    let reader = cache.clone();
    let read = spawned(async move { reader.get("ada").await.unwrap() });
    settle().await;
    clock.advance(SECOND);
    store.gate(Operation::Read).open();
    assert_eq!(read.await.unwrap(), Some("countess".into()));
}

#[tokio::test]
async fn a_store_that_answers_when_first_asked_needs_no_timer() {
    /// A clock without timers.
    #[derive(Debug)]
    struct Timeless(MockClock);
    impl larder_core::Clock for Timeless {
        fn now(&self) -> larder_core::Time {
            self.0.now()
        }
        fn wall(&self) -> std::time::SystemTime {
            self.0.wall()
        }
        fn sleep(&self, _: Duration) -> larder_core::Sleep {
            panic!("a timer for a store that does not wait")
        }
        fn on_tick(&self, _: std::sync::Weak<dyn larder_core::Tick>) {}
    }
    let cache = Cache::<str, Bytes, _, _>::new(FakeBytes::new()).clock(Timeless(MockClock::new()));
    cache.insert("ada", "countess".into()).await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    cache.remove("ada").await.unwrap();
    cache.clear().await.unwrap();
}

#[tokio::test]
async fn a_level_between_answers_while_the_last_one_hangs() {
    let (middle, last, clock) = (FakeBytes::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(Fake::<str, Bytes>::new())
        .ttl(SECOND)
        .chain(Cache::new(middle))
        .chain(Cache::new(last.clone()))
        .clock(clock.clone())
        .boxed();
    cache.insert("ada", "countess".into()).await.unwrap();
    for operation in ALL {
        last.gate(operation).close();
    }
    clock.advance(SECOND);

    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 1);
    assert_eq!(cache.lookup("ada").await.unwrap().unwrap().level(), 0, "and it was copied up");
}

#[tokio::test]
async fn a_hundred_callers_wait_together_and_no_longer_than_one() {
    let (cache, back, clock, events) = hanging();
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let cache = cache.clone();
            spawned(async move { cache.get("ada").await.unwrap() })
        })
        .collect();
    clock.run(SECOND).await;
    for reader in readers {
        assert_eq!(reader.await.unwrap(), None);
    }
    assert_eq!((back.count(Operation::Read), events.failures().len()), (1, 1));
}

#[tokio::test]
async fn handles_with_another_time_out_are_the_same_cache() {
    let (store, clock) = (FakeBytes::new(), MockClock::new());
    let patient = Cache::<str, Bytes, _, _>::new(store.clone()).clock(clock.clone());
    let hasty = patient.clone().level_timeout(100 * MILLI).breaker(Breaker::off());
    patient.insert("ada", "countess".into()).await.unwrap();
    assert_eq!(hasty.stats().levels[0].writes, 1);
    assert_eq!(
        (patient.stats().levels[0].breaker, hasty.stats().levels[0].breaker),
        (Some(BreakerState::Closed), None)
    );
    store.gate(Operation::Read).close();
    let hasty = hasty.clone();
    bounded(&clock, 100 * MILLI, async move { hasty.get("ada").await.unwrap() }).await;
}

#[test]
fn a_store_that_hangs_is_passed_over_without_any_runtime() {
    let store = FakeBytes::new();
    store.gate(Operation::Read).close();
    // The one test here with a real timer, and that a short one.
    let cache = Cache::<str, Bytes, _, _>::new(store).level_timeout(MILLI);
    assert_eq!(futures::executor::block_on(cache.get("ada")).unwrap(), None);
}

#[test]
#[should_panic(expected = "leave it out of the chain")]
fn no_time_at_all_panics_and_names_the_cure() {
    drop(Cache::<str, Bytes, _, _>::new(FakeBytes::new()).level_timeout(Duration::ZERO));
}
