//! Write-behind: what is queued is read, written once, in order, and never after it was removed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Behind, Cache, ErrorKind, Operation, Raw, WhenFull};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

struct One {
    store: FakeBytes,
    clock: MockClock,
    events: Recorder,
    cache: Cache<str, Bytes, FakeBytes, Raw>,
}

/// One level of bytes that is written behind.
fn one_level(behind: Behind) -> One {
    let (store, clock, events) = (FakeBytes::new(), MockClock::new(), Recorder::new());
    let cache = Cache::new(store.clone()).write(behind).clock(clock.clone()).observer(events.clone());
    One { store, clock, events, cache }
}

impl One {
    async fn insert(&self, key: &'static str, value: &'static str) {
        self.cache.insert(key, value.into()).await.unwrap();
    }

    /// What the store has, as someone without the queue reads it.
    async fn stored(&self, key: &str) -> Option<Bytes> {
        let bytes = self.store.raw(&format!("larder:{key}"))?;
        let copy = FakeBytes::new();
        copy.put_raw(&format!("larder:{key}"), bytes);
        Cache::new(copy).clock(self.clock.clone()).get(key).await.unwrap()
    }

    fn writes(&self) -> usize {
        self.store.count(Operation::Write)
    }

    fn pending(&self) -> Option<u64> {
        self.cache.stats().levels[0].pending
    }

    fn close(&self, operation: Operation) {
        self.store.gate(operation).close();
    }

    fn open(&self, operation: Operation) {
        self.store.gate(operation).open();
    }
}

#[tokio::test]
async fn an_insert_returns_before_the_store_has_answered_and_is_written_then() {
    let one = one_level(Behind::default());
    one.close(Operation::Write);
    one.insert("ada", "countess").await;
    assert_eq!((one.store.keys().len(), one.pending()), (0, Some(1)));

    one.open(Operation::Write);
    settle().await;
    assert_eq!(one.stored("ada").await, Some("countess".into()));
    assert_eq!((one.writes(), one.pending(), one.clock.timers()), (1, Some(0), 0));
}

#[tokio::test]
async fn of_a_key_that_changes_the_newest_value_is_written_once_an_interval() {
    let one = one_level(Behind::default().every(SECOND));
    for value in ["lady", "student", "countess"] {
        one.insert("ada", value).await;
        one.clock.run(300 * MILLI).await;
        assert_eq!(one.writes(), 0);
    }
    one.clock.run(100 * MILLI).await;
    assert_eq!((one.writes(), one.stored("ada").await), (1, Some("countess".into())));
    assert_eq!(one.cache.stats().levels[0].writes, 1);
}

#[tokio::test]
async fn a_queue_that_is_half_full_does_not_wait_for_its_interval() {
    let one = one_level(Behind::default().every(SECOND).max_pending(4));
    one.insert("one", "a").await;
    one.insert("two", "b").await;
    settle().await;
    assert_eq!(one.writes(), 0);
    one.insert("three", "c").await;
    one.insert("four", "d").await;
    settle().await;
    assert_eq!((one.writes(), one.pending()), (1, Some(3)), "until it is no longer");
}

#[tokio::test]
async fn values_of_a_key_reach_the_store_one_after_the_other() {
    let one = one_level(Behind::default());
    one.close(Operation::Write);
    one.insert("ada", "lady").await;
    one.store.gate(Operation::Write).reached(1).await;

    one.insert("ada", "countess").await;
    settle().await;
    assert_eq!(one.writes(), 1, "the older one has not landed");
    one.open(Operation::Write);
    settle().await;

    assert_eq!((one.writes(), one.stored("ada").await), (2, Some("countess".into())));
}

#[tokio::test]
async fn a_write_that_hangs_does_not_stop_those_of_other_keys() {
    let one = one_level(Behind::default().concurrency(2));
    one.close(Operation::Write);
    one.insert("ada", "countess").await;
    one.store.gate(Operation::Write).reached(1).await;
    for key in ["bob", "eve", "joe"] {
        one.insert(key, "clerk").await;
        one.store.gate(Operation::Write).let_one_through();
    }
    settle().await;
    assert_eq!(one.pending(), Some(1));
}

#[tokio::test]
async fn what_is_queued_is_read_though_the_store_has_less() {
    let one = one_level(Behind::default());
    one.close(Operation::Write);
    one.insert("ada", "lady").await;
    assert_eq!(one.cache.get("ada").await.unwrap(), Some("lady".into()), "while it waits");
    settle().await;
    assert_eq!(one.cache.get("ada").await.unwrap(), Some("lady".into()), "while it is written");
    one.insert("ada", "countess").await;
    assert_eq!(one.cache.get("ada").await.unwrap(), Some("countess".into()), "the newest");
    assert_eq!(one.store.count(Operation::Read), 0);
}

#[tokio::test]
async fn what_is_queued_is_read_after_the_first_level_lost_it() {
    let (front, back) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    back.gate(Operation::Write).close();
    let cache = Cache::new(front.clone()).chain(Cache::new(back.clone()).write(Behind::default())).boxed();
    cache.insert("ada", "countess".into()).await.unwrap();
    Cache::new(front).remove("ada").await.unwrap();

    let found = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.value().as_ref(), found.level()), (b"countess".as_ref(), 1));
    assert_eq!(cache.get_now("ada"), Some("countess".into()), "and copied up");
}

#[tokio::test]
async fn loads_and_promotions_are_queued_too() {
    let (middle, back) = (FakeBytes::new(), FakeBytes::new());
    let last = Cache::new(back.clone());
    let cache = Cache::new(middle.clone()).write(Behind::default()).chain(last.clone()).boxed();
    middle.gate(Operation::Write).close();

    let loader: Loader<Bytes> = Loader::value("loaded".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "loaded");
    last.insert("bob", "found".into()).await.unwrap();
    assert_eq!(cache.get("bob").await.unwrap(), Some("found".into()));

    assert_eq!(cache.stats().levels[0].pending, Some(2));
    middle.gate(Operation::Write).open();
    cache.flush().await.unwrap();
    assert_eq!(middle.keys(), ["larder:ada", "larder:bob"]);
}

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

#[tokio::test]
async fn a_flush_cuts_the_interval_short_and_waits_for_what_was_queued_before_it() {
    let one = one_level(Behind::default().every(3600 * SECOND));
    one.insert("ada", "countess").await;
    one.close(Operation::Write);
    let flush = tokio::spawn({
        let cache = one.cache.clone();
        async move { cache.flush().await }
    });
    one.store.gate(Operation::Write).reached(1).await;
    one.insert("bob", "clerk").await;
    settle().await;
    assert!(!flush.is_finished());
    one.open(Operation::Write);

    flush.await.unwrap().unwrap();
    assert_eq!((one.writes(), one.pending()), (1, Some(1)), "what came later is not waited for");
}

#[tokio::test]
async fn a_flush_waits_for_what_is_under_way_and_queued_again() {
    let one = one_level(Behind::default());
    one.close(Operation::Write);
    one.insert("ada", "lady").await;
    one.store.gate(Operation::Write).reached(1).await;
    one.insert("ada", "countess").await;
    let flush = tokio::spawn({
        let cache = one.cache.clone();
        async move { cache.flush().await }
    });
    settle().await;
    one.store.gate(Operation::Write).let_one_through();
    settle().await;
    assert!(!flush.is_finished());
    one.open(Operation::Write);
    flush.await.unwrap().unwrap();
    assert_eq!(one.stored("ada").await, Some("countess".into()));
}

#[tokio::test]
async fn a_flush_reaches_the_queues_of_a_static_chain_and_of_a_boxed_one() {
    for boxed in [false, true] {
        let stores = [FakeBytes::new(), FakeBytes::new()];
        let level = |store: &FakeBytes| {
            Cache::<str, Bytes, _, _>::new(store.clone()).write(Behind::default().every(SECOND))
        };
        let chain = Cache::new(Fake::new()).chain(level(&stores[0]).chain(level(&stores[1])));
        let cache = chain.clone().boxed();
        chain.insert("ada", "countess".into()).await.unwrap();
        if boxed {
            cache.flush().await.unwrap()
        } else {
            chain.flush().await.unwrap()
        }
        assert!(stores.iter().all(|store| store.keys() == ["larder:ada"]));
    }
}

#[tokio::test]
async fn a_shutdown_drains_and_can_be_repeated_and_later_writes_go_through() {
    let one = one_level(Behind::default().every(3600 * SECOND));
    for key in ["ada", "bob", "eve"] {
        one.insert(key, "value").await;
    }
    let other_policy = one.cache.clone().ttl(SECOND);
    one.cache.shutdown().await.unwrap();
    assert_eq!((one.writes(), one.pending()), (3, Some(0)));

    one.cache.shutdown().await.unwrap();
    other_policy.insert("joe", "through".into()).await.unwrap();
    assert_eq!((one.writes(), one.pending()), (4, Some(0)));
    assert_eq!(one.cache.get("ada").await.unwrap(), Some("value".into()));
    one.cache.remove("ada").await.unwrap();
    assert_eq!(one.cache.get("ada").await.unwrap(), None);
    one.cache.flush().await.unwrap();
}

#[tokio::test]
async fn a_write_through_after_a_shutdown_that_was_given_up_on_is_not_overtaken_by_the_queue() {
    let one = one_level(Behind::default());
    one.close(Operation::Write);
    one.insert("ada", "lady").await;
    one.store.gate(Operation::Write).reached(1).await;
    let shutdown = tokio::spawn({
        let cache = one.cache.clone();
        async move { cache.shutdown().await }
    });
    settle().await;
    shutdown.abort();
    let insert = tokio::spawn({
        let cache = one.cache.clone();
        async move { cache.insert("ada", "countess".into()).await }
    });
    settle().await;
    assert_eq!(one.writes(), 1);
    one.open(Operation::Write);
    insert.await.unwrap().unwrap();
    assert_eq!(one.stored("ada").await, Some("countess".into()));
}

#[tokio::test]
async fn what_is_queued_when_the_last_handle_is_dropped_is_written() {
    let One { store, clock, cache, .. } = one_level(Behind::default().every(3600 * SECOND));
    cache.insert("ada", "countess".into()).await.unwrap();
    settle().await;
    drop(cache);
    settle().await;
    assert_eq!((store.keys().len(), clock.timers()), (1, 0));
}

#[tokio::test]
async fn a_value_that_dies_while_it_is_queued_is_not_written_and_nor_is_the_older_one_left() {
    let one = one_level(Behind::default().every(10 * SECOND));
    one.insert("ada", "lady").await;
    one.cache.flush().await.unwrap();

    one.cache.insert_with("ada", "countess".into(), |entry| entry.ttl(SECOND)).await.unwrap();
    one.clock.run(SECOND).await;
    assert_eq!(one.cache.get("ada").await.unwrap(), None);
    one.clock.run(10 * SECOND).await;
    assert_eq!((one.writes(), one.store.keys().len()), (1, 0));
    assert_eq!(one.cache.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn pending_and_given_up_writes_are_in_the_statistics() {
    let one = one_level(Behind::default());
    one.close(Operation::Write);
    one.insert("ada", "countess").await;
    one.insert("bob", "clerk").await;
    let stats = one.cache.clone().boxed().stats();
    assert_eq!(stats.levels[0].pending, Some(2));
    let table = stats.to_string();
    let columns: Vec<_> =
        table.lines().take(2).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(columns[0][5..8], ["pending", "given", "up"]);
    assert_eq!(columns[1][6..8], ["2", "0"], "{table}");
    assert_eq!(Cache::<str, Bytes, _, _>::new(Fake::new()).stats().levels[0].pending, None);
}

/// A store that takes nothing.
struct Refusing;

impl larder_core::ByteStore for Refusing {
    async fn get(&self, _: &str) -> larder_core::Result<Option<Bytes>> {
        Ok(None)
    }
    async fn put(&self, _: &str, _: Bytes, _: Option<std::time::SystemTime>) -> larder_core::Result<()> {
        Err(larder_core::Error::new(ErrorKind::TooLarge, "nothing is small enough"))
    }
    async fn remove(&self, _: &str) -> larder_core::Result<()> {
        Ok(())
    }
}

/// A store that panics when it is to write a bad key.
struct Panicking(FakeBytes);

impl larder_core::ByteStore for Panicking {
    async fn get(&self, key: &str) -> larder_core::Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn put(
        &self,
        key: &str,
        bytes: Bytes,
        expires_at: Option<std::time::SystemTime>,
    ) -> larder_core::Result<()> {
        assert!(!key.ends_with("bad"), "a bad key");
        self.0.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> larder_core::Result<()> {
        self.0.remove(key).await
    }
}
