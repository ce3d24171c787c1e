//! Promise 2: what is queued or on its way never lands behind a removal that returned.

use crate::{SECOND, level};
use bytes::Bytes;
use larder_core::{Behind, Cache, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, settle};
use std::time::Duration;
use tokio::runtime::Builder;

#[tokio::test]
async fn a_remove_waits_for_the_write_that_is_under_way() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default());
    store.gate(Operation::Write).close();
    cache.insert("ada", "countess".into()).await.unwrap();
    store.gate(Operation::Write).reached(1).await;

    let remove = tokio::spawn({
        let cache = cache.clone();
        async move { cache.remove("ada").await }
    });
    settle().await;
    assert_eq!((store.count(Operation::Remove), remove.is_finished()), (0, false));
    store.gate(Operation::Write).open();

    remove.await.unwrap().unwrap();
    settle().await;
    assert!(store.keys().is_empty());
    assert_eq!(cache.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_clear_waits_for_the_writes_that_are_under_way() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default().concurrency(1));
    store.gate(Operation::Write).close();
    cache.insert("ada", "countess".into()).await.unwrap();
    cache.insert("bob", "clerk".into()).await.unwrap();
    store.gate(Operation::Write).reached(1).await;

    let clear = tokio::spawn({
        let cache = cache.clone();
        async move { cache.clear().await }
    });
    settle().await;
    assert_eq!((store.count(Operation::Clear), clear.is_finished()), (0, false));
    store.gate(Operation::Write).open();

    clear.await.unwrap().unwrap();
    settle().await;
    assert!(store.keys().is_empty());
    assert_eq!(store.count(Operation::Write), 1);
    assert_eq!(cache.stats().levels[0].pending, Some(0));
}

/// Another cache over the same queue does not wait for the turns of the first.
#[tokio::test]
async fn what_another_cache_writes_during_a_removal_takes_off_after_it() {
    for by_clear in [false, true] {
        let store = FakeBytes::new();
        let cache = level(&store, Behind::default());
        let other = cache.clone().max_value_bytes(1_000);
        let (write, remove) = (store.gate(Operation::Write), store.gate(Operation::Remove));
        write.close();
        cache.insert("ada", "lady".into()).await.unwrap();
        write.reached(1).await;
        remove.close();
        store.gate(Operation::Clear).close();
        let removal = tokio::spawn({
            let cache = cache.clone();
            async move { if by_clear { cache.clear().await } else { cache.remove("ada").await } }
        });
        settle().await;
        other.insert("ada", "countess".into()).await.unwrap();
        write.open();
        settle().await;
        assert_eq!((store.count(Operation::Write), removal.is_finished()), (1, false));

        remove.open();
        store.gate(Operation::Clear).open();
        removal.await.unwrap().unwrap();
        settle().await;
        assert_eq!((store.count(Operation::Write), store.keys().len()), (2, 1), "by clear: {by_clear}");
        assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    }
}

#[tokio::test]
async fn what_is_removed_makes_room_for_others() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default().every(SECOND).max_pending(2));
    for round in 0..10 {
        cache.insert("ada", "countess".into()).await.unwrap();
        if round % 2 == 0 { cache.clear().await.unwrap() } else { cache.remove("ada").await.unwrap() }
    }
    cache.insert("ada", "countess".into()).await.unwrap();
    assert_eq!((store.count(Operation::Write), cache.stats().levels[0].pending), (0, Some(1)));
}

#[tokio::test]
async fn what_waits_is_dropped_by_a_remove_and_by_a_clear() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default().every(SECOND));
    for by_clear in [false, true] {
        cache.insert("ada", "countess".into()).await.unwrap();
        if by_clear {
            cache.clear().await.unwrap();
        } else {
            cache.remove("ada").await.unwrap();
        }
        assert_eq!(cache.get("ada").await.unwrap(), None);
        cache.flush().await.unwrap();
        assert_eq!(store.count(Operation::Write), 0);
    }
    cache.insert("ada", "again".into()).await.unwrap();
    cache.flush().await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), Some("again".into()));
}

#[tokio::test]
async fn while_a_removal_works_the_older_value_in_the_store_is_not_read() {
    for by_clear in [false, true] {
        let store = FakeBytes::new();
        let cache = level(&store, Behind::default());
        cache.insert("ada", "lady".into()).await.unwrap();
        cache.flush().await.unwrap();
        store.gate(Operation::Write).close();
        cache.insert("ada", "countess".into()).await.unwrap();
        store.gate(Operation::Remove).close();
        store.gate(Operation::Clear).close();

        let removal = tokio::spawn({
            let cache = cache.clone();
            async move { if by_clear { cache.clear().await } else { cache.remove("ada").await } }
        });
        settle().await;
        assert_eq!(cache.get("ada").await.unwrap(), None, "by clear: {by_clear}");
        store.gate(Operation::Remove).open();
        store.gate(Operation::Clear).open();
        store.gate(Operation::Write).open();
        removal.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_write_that_fails_while_it_is_removed_is_not_tried_again() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default().back_off(Duration::ZERO, Duration::ZERO));
    store.gate(Operation::Write).close();
    store.fail(&[Operation::Write]);
    cache.insert("ada", "countess".into()).await.unwrap();
    store.gate(Operation::Write).reached(1).await;
    let remove = tokio::spawn({
        let cache = cache.clone();
        async move { cache.remove("ada").await }
    });
    settle().await;
    store.gate(Operation::Write).open();
    remove.await.unwrap().unwrap();
    store.fail(&[]);
    settle().await;
    assert_eq!((store.count(Operation::Write), store.keys().len()), (1, 0));
}

#[tokio::test]
async fn a_loaded_value_that_a_remove_overtook_is_not_written() {
    let store = FakeBytes::new();
    let cache = Cache::new(Fake::<str, Bytes>::new()).chain(level(&store, Behind::default())).boxed();
    let loader: Loader<Bytes> = Loader::value("old".into()).gated();
    let load = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    loader.gate().reached(1).await;
    cache.remove("ada").await.unwrap();
    loader.gate().open();

    assert_eq!(load.await.unwrap(), "old");
    cache.flush().await.unwrap();
    assert_eq!(store.count(Operation::Write), 0);
    assert_eq!(cache.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_loaded_value_that_is_queued_when_it_is_removed_is_not_written() {
    let store = FakeBytes::new();
    let back = level(&store, Behind::default().every(SECOND));
    let cache = Cache::new(Fake::<str, Bytes>::new()).chain(back).boxed();
    let loader: Loader<Bytes> = Loader::value("old".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "old");
    cache.remove("ada").await.unwrap();
    cache.shutdown().await.unwrap();
    assert_eq!((store.count(Operation::Write), cache.get("ada").await.unwrap()), (0, None));
}

#[tokio::test]
async fn a_handle_with_another_policy_removes_what_the_first_one_queued() {
    let store = FakeBytes::new();
    let cache = level(&store, Behind::default().every(SECOND));
    cache.insert("ada", "countess".into()).await.unwrap();
    cache.clone().ttl(SECOND).boxed().remove("ada").await.unwrap();
    cache.flush().await.unwrap();
    assert!(store.keys().is_empty());
}

#[tokio::test]
async fn clearing_one_namespace_leaves_what_the_other_one_has_queued() {
    let store = FakeBytes::new();
    let ages = level(&store, Behind::default().every(SECOND));
    let debts = ages.clone().namespace("debts");
    ages.insert("ada", "36".into()).await.unwrap();
    debts.insert("ada", "2000".into()).await.unwrap();

    ages.clear().await.unwrap();
    assert_eq!(debts.get("ada").await.unwrap(), Some("2000".into()));
    ages.shutdown().await.unwrap();
    assert_eq!(debts.stats().levels[0].pending, Some(1), "nor does a shutdown concern the other");
    debts.flush().await.unwrap();
    assert_eq!(store.keys(), ["debts:ada"]);
}

/// Real threads, so that flushes and removals meet in every order.
#[test]
fn no_write_lands_behind_a_removal_that_returned() {
    let runtime = Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let store = FakeBytes::new();
        let cache = Cache::<u64, Bytes, _, _>::new(store.clone()).write(Behind::default());
        let workers: Vec<_> = (0..4_u64)
            .map(|key| {
                let (cache, store) = (cache.clone(), store.clone());
                tokio::spawn(async move {
                    for round in 0..2_000 {
                        cache.insert(&key, Bytes::from(round.to_string())).await.unwrap();
                        if round % 3 == 0 {
                            tokio::task::yield_now().await;
                        }
                        let value = Some(Bytes::from(round.to_string()));
                        assert_eq!(cache.get(&key).await.unwrap(), value, "round {round}");
                        cache.remove(&key).await.unwrap();
                        assert!(store.raw(&format!("larder:{key}")).is_none(), "round {round}");
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        cache.flush().await.unwrap();
        assert!(store.keys().is_empty());
    });
}
