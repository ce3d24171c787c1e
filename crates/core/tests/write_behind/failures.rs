//! Stores that fail, panic or hang: retries, and bounded memory.

use crate::{MILLI, One, SECOND, one_level};
use bytes::Bytes;
use larder_core::{Behind, Breaker, ByteStore, Cache, Error, ErrorKind, Operation, Result, WhenFull};
use larder_testkit::{FakeBytes, MockClock, Recorder, settle};
use std::time::SystemTime;

#[tokio::test]
async fn a_store_that_fails_is_tried_again_with_growing_delays() {
    let one = one_level(Behind::default());
    one.store.fail(&[Operation::Write]);
    one.insert("ada", "countess").await;
    let mut tries = Vec::new();
    for millis in [0, 99, 1, 199, 1, 399, 1] {
        one.clock.run(millis * MILLI).await;
        tries.push(one.writes());
    }
    assert_eq!(tries, [1, 1, 2, 2, 3, 3, 4]);
    assert_eq!(one.cache.get("ada").await.unwrap(), Some("countess".into()), "still read");

    one.store.fail(&[]);
    one.clock.run(800 * MILLI).await;
    assert_eq!(one.stored("ada").await, Some("countess".into()));
    assert_eq!((one.pending(), one.events.failures().len(), one.events.given_up().len()), (Some(0), 4, 0));
    one.cache.flush().await.unwrap();
    assert_eq!(one.cache.stats().levels[0].writes, 1);
}

#[tokio::test]
async fn after_the_last_try_a_write_is_given_up_counted_and_told() {
    let one = one_level(Behind::default().retries(2));
    one.insert("ada", "lady").await;
    settle().await;
    one.store.fail(&[Operation::Write]);
    one.insert("ada", "countess").await;
    one.insert("bob", "clerk").await;
    one.clock.run(10 * SECOND).await;

    assert_eq!(one.writes(), 1 + 2 * 3);
    assert_eq!(one.events.given_up(), ["L1 FakeBytes: the store failed"; 2]);
    let level = &one.cache.stats().levels[0];
    assert_eq!((level.given_up, level.pending, level.errors), (2, Some(0), 6));
    assert_eq!(one.stored("ada").await, None, "nor is the older value served in its place");

    let error = one.cache.flush().await.unwrap_err();
    assert_eq!(error.to_string(), "L1 FakeBytes: the store failed: 2 writes were given up");
    one.cache.flush().await.unwrap();
}

#[tokio::test]
async fn an_error_that_no_retry_cures_is_not_retried() {
    let one = one_level(Behind::default());
    let cache = Cache::new(Refusing).write(Behind::default()).observer(one.events.clone());
    cache.insert("ada", Bytes::from("countess")).await.unwrap();
    let error = cache.flush().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!((one.events.failures().len(), one.events.given_up().len()), (1, 1));
}

#[tokio::test]
async fn a_newer_value_has_its_own_tries_and_the_delay_of_the_older_one() {
    let one = one_level(Behind::default().retries(1).back_off(SECOND, SECOND));
    one.store.fail(&[Operation::Write]);
    one.insert("ada", "lady").await;
    settle().await;
    one.insert("ada", "countess").await;
    settle().await;
    assert_eq!(one.writes(), 1, "the store is left alone");
    one.clock.run(SECOND).await;
    one.store.fail(&[]);
    one.clock.run(SECOND).await;
    assert_eq!((one.stored("ada").await, one.events.given_up().len()), (Some("countess".into()), 0));
}

#[tokio::test]
async fn a_value_that_is_replaced_while_a_try_fails_is_written_in_place_of_it_and_not_at_once() {
    let one = one_level(Behind::default().back_off(SECOND, SECOND));
    one.store.fail(&[Operation::Write]);
    one.close(Operation::Write);
    one.insert("ada", "lady").await;
    one.store.gate(Operation::Write).reached(1).await;
    one.insert("ada", "countess").await;
    one.open(Operation::Write);
    settle().await;
    one.store.fail(&[]);
    assert_eq!((one.writes(), one.pending()), (1, Some(1)));
    one.clock.run(SECOND).await;
    assert_eq!((one.writes(), one.stored("ada").await), (2, Some("countess".into())));
}

#[tokio::test]
async fn a_value_that_is_replaced_while_its_last_try_fails_is_not_lost() {
    let one = one_level(Behind::default().retries(0));
    one.store.fail(&[Operation::Write]);
    one.close(Operation::Write);
    one.insert("ada", "lady").await;
    one.store.gate(Operation::Write).reached(1).await;
    one.insert("ada", "countess").await;
    one.close(Operation::Remove);
    one.open(Operation::Write);
    one.store.gate(Operation::Remove).reached(1).await;
    one.store.fail(&[]);
    one.open(Operation::Remove);
    settle().await;
    assert_eq!((one.stored("ada").await, one.events.given_up().len()), (Some("countess".into()), 0));
    one.cache.flush().await.unwrap();
}

#[tokio::test]
async fn a_panic_of_the_store_is_a_failed_try_and_the_rest_of_the_queue_goes_on() {
    let store = FakeBytes::new();
    let cache = Cache::new(Panicking(store.clone())).write(Behind::default().retries(0));
    for key in ["ada", "bad", "bob"] {
        cache.insert(key, Bytes::from("value")).await.unwrap();
    }
    let error = cache.flush().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.ends_with("the store panicked: a bad key"), "{source}");
    assert_eq!(store.keys(), ["larder:ada", "larder:bob"]);
}

#[tokio::test]
async fn when_the_store_hangs_memory_is_bounded_and_callers_write_themselves() {
    let one = one_level(Behind::default().max_pending(2).concurrency(1));
    one.close(Operation::Write);
    one.insert("one", "a").await;
    one.insert("two", "b").await;
    one.insert("two", "newer").await;
    settle().await;
    let through = tokio::spawn({
        let cache = one.cache.clone();
        async move { cache.insert("three", "c".into()).await }
    });
    settle().await;
    assert_eq!((one.pending(), one.writes(), through.is_finished()), (Some(2), 2, false));

    one.open(Operation::Write);
    through.await.unwrap().unwrap();
    one.cache.flush().await.unwrap();
    assert_eq!(one.store.keys(), ["larder:one", "larder:three", "larder:two"]);
    assert_eq!(one.stored("two").await, Some("newer".into()));
}

#[tokio::test]
async fn when_full_callers_may_wait_instead_and_ask_no_more_of_the_store() {
    let one = one_level(Behind::default().max_pending(2).concurrency(1).when_full(WhenFull::Wait));
    one.close(Operation::Write);
    let inserts: Vec<_> = ["one", "two", "three", "four"]
        .map(|key| {
            let cache = one.cache.clone();
            tokio::spawn(async move { cache.insert(key, key.into()).await })
        })
        .into();
    settle().await;
    assert_eq!((one.pending(), one.writes()), (Some(2), 1));
    assert_eq!(inserts.iter().filter(|insert| insert.is_finished()).count(), 2);

    one.store.gate(Operation::Write).let_one_through();
    settle().await;
    assert_eq!((one.pending(), one.writes()), (Some(2), 2));
    assert_eq!(inserts.iter().filter(|insert| insert.is_finished()).count(), 3);

    one.open(Operation::Write);
    for insert in inserts {
        insert.await.unwrap().unwrap();
    }
    one.cache.flush().await.unwrap();
    assert_eq!(one.store.keys().len(), 4);
}

#[tokio::test]
async fn who_waits_for_a_place_when_the_queue_is_shut_writes_through() {
    let one = one_level(Behind::default().max_pending(1).when_full(WhenFull::Wait));
    one.close(Operation::Write);
    one.insert("one", "a").await;
    let waiting = tokio::spawn({
        let cache = one.cache.clone();
        async move { cache.insert("two", "b".into()).await }
    });
    settle().await;
    let shutdown = tokio::spawn({
        let cache = one.cache.clone();
        async move { cache.shutdown().await }
    });
    settle().await;
    one.open(Operation::Write);
    shutdown.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(one.store.keys().len(), 2);
}

/// A store that takes nothing.
struct Refusing;

impl ByteStore for Refusing {
    async fn get(&self, _: &str) -> Result<Option<Bytes>> {
        Ok(None)
    }
    async fn put(&self, _: &str, _: Bytes, _: Option<SystemTime>) -> Result<()> {
        Err(Error::new(ErrorKind::TooLarge, "nothing is small enough"))
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

/// A store that panics when it is to write a bad key.
struct Panicking(FakeBytes);

impl ByteStore for Panicking {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        assert!(!key.ends_with("bad"), "a bad key");
        self.0.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(key).await
    }
}

#[tokio::test]
async fn what_the_open_breaker_refuses_is_no_try_and_is_written_once_the_store_is_back() {
    let breaker = Breaker::default().min_calls(1).open_for(5 * SECOND);
    let One { store, clock, events, cache } = one_level(Behind::default().retries(1));
    let one = One { store, clock: clock.clone(), events, cache: cache.breaker(breaker) };
    one.store.fail(&[Operation::Write]);
    one.insert("ada", "36").await;
    one.clock.run(4 * SECOND).await;
    assert_eq!((one.writes(), one.pending()), (1, Some(1)));

    one.store.fail(&[]);
    one.clock.run(10 * SECOND).await;
    assert_eq!(one.stored("ada").await.as_deref(), Some(&b"36"[..]));
    assert_eq!((one.pending(), one.cache.stats().levels[0].given_up), (Some(0), 0));
}

#[tokio::test]
async fn a_write_that_hangs_in_the_queue_is_cut_off_by_the_level_timeout_and_tried_again() {
    let one = one_level(Behind::default());
    one.close(Operation::Write);
    one.insert("ada", "36").await;
    one.clock.run(SECOND).await;
    assert_eq!(one.cache.stats().levels[0].errors, 1);
    one.open(Operation::Write);
    one.clock.run(SECOND).await;
    assert_eq!(one.stored("ada").await.as_deref(), Some(&b"36"[..]));
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
