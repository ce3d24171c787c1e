//! `flush`, `shutdown`, and the end of the last handle.

use crate::{One, SECOND, one_level};
use bytes::Bytes;
use larder_core::{Behind, Cache, Operation};
use larder_testkit::{Fake, FakeBytes, settle};

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
            cache.flush().await.unwrap();
        } else {
            chain.flush().await.unwrap();
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
