//! What the end of a runtime, or its absence, does to the queue.

use crate::level;
use larder_core::{Behind, Operation};
use larder_testkit::{FakeBytes, Recorder, settle};
use tokio::runtime::{Builder, Runtime};

fn a_runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn without_a_runtime_writes_go_through() {
    futures::executor::block_on(async {
        let store = FakeBytes::new();
        let cache = level(&store, Behind::default());
        cache.insert("ada", "countess".into()).await.unwrap();
        assert_eq!((store.count(Operation::Write), cache.stats().levels[0].pending), (1, Some(0)));
        cache.flush().await.unwrap();
        cache.shutdown().await.unwrap();
    });
}

#[test]
fn what_a_runtime_left_undone_the_next_one_writes() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default());
    store.gate(Operation::Write).close();
    let first = a_runtime();
    first.block_on(async {
        for key in ["ada", "bob"] {
            cache.insert(key, "value".into()).await.unwrap();
        }
        store.gate(Operation::Write).reached(2).await;
    });
    drop(first);
    assert_eq!(cache.stats().levels[0].pending, Some(2));
    store.gate(Operation::Write).open();

    a_runtime().block_on(async {
        assert_eq!(cache.get("ada").await.unwrap(), Some("value".into()));
        cache.insert("eve", "value".into()).await.unwrap();
        settle().await;
        assert_eq!(store.keys().len(), 3);
    });
}

#[test]
fn what_a_runtime_left_undone_can_be_removed_flushed_and_replaced_without_one() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default());
    store.gate(Operation::Write).close();
    let first = a_runtime();
    first.block_on(async {
        for key in ["ada", "bob", "eve"] {
            cache.insert(key, "value".into()).await.unwrap();
        }
        store.gate(Operation::Write).reached(3).await;
    });
    drop(first);
    store.gate(Operation::Write).open();

    futures::executor::block_on(async {
        cache.remove("ada").await.unwrap();
        cache.insert("bob", "newer".into()).await.unwrap();
        assert_eq!(store.keys(), ["larder:bob"]);
        cache.flush().await.unwrap();
        assert_eq!(store.keys(), ["larder:bob", "larder:eve"]);
        assert_eq!(cache.get("bob").await.unwrap(), Some("newer".into()));
    });
}

#[test]
fn a_flush_does_not_hang_on_a_runtime_that_has_ended() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default());
    store.gate(Operation::Write).close();
    let (first, second) = (a_runtime(), a_runtime());
    first.block_on(async {
        cache.insert("ada", "countess".into()).await.unwrap();
        store.gate(Operation::Write).reached(1).await;
    });
    second.block_on(async {
        let flush = tokio::spawn({
            let cache = cache.clone();
            async move { cache.flush().await }
        });
        settle().await;
        first.shutdown_background();
        store.gate(Operation::Write).open();
        flush.await.unwrap().unwrap();
    });
    assert_eq!(store.keys(), ["larder:ada"]);
}

#[test]
fn nor_does_it_where_nothing_was_under_way_at_the_end() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default());
    store.fail(&[Operation::Write]);
    let (first, second) = (a_runtime(), a_runtime());
    first.block_on(async {
        cache.insert("ada", "countess".into()).await.unwrap();
        settle().await; // it has failed, and waits for its next try
    });
    store.fail(&[]);
    second.block_on(async {
        let flush = tokio::spawn({
            let cache = cache.clone();
            async move { cache.flush().await }
        });
        settle().await;
        first.shutdown_background();
        flush.await.unwrap().unwrap();
    });
    assert_eq!(store.keys(), ["larder:ada"]);
}

#[test]
fn what_nobody_is_left_to_write_is_told() {
    for dropped_first in [false, true] {
        let (store, events) = (FakeBytes::new(), Recorder::new());
        let cache = level(&store, Behind::default()).observer(events.clone());
        store.gate(Operation::Write).close();
        let runtime = a_runtime();
        runtime.block_on(async {
            cache.insert("ada", "countess".into()).await.unwrap();
            cache.insert("bob", "clerk".into()).await.unwrap();
            settle().await;
        });
        if dropped_first {
            drop(cache);
            drop(runtime);
        } else {
            drop(runtime);
            drop(cache);
        }
        assert_eq!(
            events.given_up(),
            ["the work was cut off: the runtime ended before it was written"; 2],
            "handle dropped first: {dropped_first}"
        );
    }
}
