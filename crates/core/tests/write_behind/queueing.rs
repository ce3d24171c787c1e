//! What is queued: written once, in order, and read at once.

use crate::{MILLI, SECOND, one_level};
use bytes::Bytes;
use larder_core::{Behind, Breaker, Cache, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};

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

#[tokio::test]
async fn debug_shows_that_a_level_is_written_behind_and_nothing_of_what_is_queued() {
    let one = one_level(Behind::default().every(SECOND));
    one.insert("ada", "countess").await;
    let tree = format!("{:?}", one.cache);
    assert_eq!(tree, "Cache (unnamed)\n└ L1 FakeBytes, Raw, namespace larder, written behind");
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
