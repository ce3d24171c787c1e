use super::{SECOND, another, calls_of, text, two_levels};
use bytes::Bytes;
use larder_core::{Behind, ByteStore, Cache, Error, ErrorKind, Operation, Result};
use larder_testkit::{Fake, FakeBytes, Loader, settle};
use std::time::SystemTime;

#[tokio::test]
async fn keys_are_gone_from_every_level_with_one_call_a_level() {
    let two = two_levels();
    for key in ["ada", "bob", "eve"] {
        two.cache.insert(key, text(key)).await.unwrap();
    }
    let (removed, calls) = calls_of(&two.back, two.cache.remove_many(["ada", "bob", "ada"])).await;
    assert_eq!(removed.all().unwrap().len(), 3, "one answer for each key that was given");
    assert_eq!(calls, [Operation::Remove]);
    assert_eq!(
        two.cache.get_many(["ada", "bob", "eve"]).await.all().unwrap(),
        [None, None, Some(text("eve"))]
    );
    assert_eq!(two.back.keys(), ["larder:eve"]);
}

#[tokio::test]
async fn in_memory_it_is_done_at_once() {
    let ages = Cache::new(Fake::<u64, u32>::new());
    for key in [1, 2] {
        ages.insert(&key, 36).await.unwrap();
    }
    ages.remove_many(&[1, 3]).await.all().unwrap();
    assert_eq!((ages.get_now(&1), ages.get_now(&2)), (None, Some(36)));
}

#[tokio::test]
async fn more_than_a_thousand_keys_make_several_calls() {
    let store = FakeBytes::new();
    let cache = Cache::<u64, Bytes, _, _>::new(store.clone()).boxed();
    let keys: Vec<u64> = (0..2_500).collect();
    let (removed, calls) = calls_of(&store, cache.remove_many(&keys)).await;
    assert_eq!((removed.all().unwrap().len(), calls.len()), (2_500, 3));
}

#[tokio::test]
async fn a_level_that_fails_is_the_error_of_each_key_and_the_other_levels_are_tried() {
    let two = two_levels();
    two.cache.insert("ada", text("a")).await.unwrap();
    two.back.fail(&[Operation::Remove]);
    let removed = two.cache.remove_many(["ada", "bob"]).await;
    assert!(removed.iter().all(|each| each.as_ref().unwrap_err().kind() == ErrorKind::Store));
    assert_eq!(two.cache.get_now("ada"), None);
}

#[tokio::test]
async fn a_store_without_calls_for_many_keys_is_asked_for_some_at_a_time_and_each_error_is_its_keys() {
    struct Single(FakeBytes);

    impl ByteStore for Single {
        async fn get(&self, key: &str) -> Result<Option<Bytes>> {
            self.0.get(key).await
        }
        async fn put(&self, key: &str, bytes: Bytes, at: Option<SystemTime>) -> Result<()> {
            self.0.put(key, bytes, at).await
        }
        async fn remove(&self, key: &str) -> Result<()> {
            self.0.remove(key).await?;
            Err(Error::new(ErrorKind::Store, key))
        }
    }
    let store = FakeBytes::new();
    let cache = Cache::<u64, Bytes, _, _>::new(Single(store.clone())).boxed();
    store.gate(Operation::Remove).close();
    let removing = tokio::spawn(async move { cache.remove_many(&(0..100).collect::<Vec<_>>()).await });
    store.gate(Operation::Remove).reached(32).await;
    settle().await;
    assert_eq!(store.count(Operation::Remove), 32);
    store.gate(Operation::Remove).open();
    for (key, removed) in removing.await.unwrap().into_iter().enumerate() {
        let error = removed.unwrap_err().to_string();
        assert!(error.ends_with(&format!("larder:{key}")), "{error}");
    }
}

#[tokio::test]
async fn a_load_that_is_under_way_for_one_of_them_is_not_stored() {
    let two = two_levels();
    let loader: Loader<Bytes> = Loader::value(text("old")).gated();
    let (cache, load) = (two.cache.clone(), loader.load());
    let loading = tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() });
    loader.gate().reached(1).await;
    two.cache.remove_many(["bob", "ada"]).await.all().unwrap();
    loader.gate().open();

    assert_eq!(loading.await.unwrap(), "old");
    assert_eq!(two.cache.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_key_that_is_being_written_has_its_turn_later_and_holds_up_no_other() {
    let two = two_levels();
    for key in ["ada", "bob"] {
        two.cache.insert(key, text(key)).await.unwrap();
    }
    two.back.gate(Operation::Write).close();
    let (writer, remover) = (two.cache.clone(), two.cache.clone());
    let writing = tokio::spawn(async move { writer.insert("ada", text("new")).await });
    two.back.gate(Operation::Write).reached(2).await;
    let removing = tokio::spawn(async move { remover.remove_many(["ada", "bob"]).await.all() });
    settle().await;
    assert_eq!(two.back.keys(), ["larder:ada"], "bob did not wait");
    assert!(!removing.is_finished());

    two.back.gate(Operation::Write).open();
    writing.await.unwrap().unwrap();
    removing.await.unwrap().unwrap();
    assert_eq!(two.back.keys(), [""; 0], "the removal came after the insertion");
    assert_eq!(two.back.count(Operation::Remove), 2);
}

#[tokio::test]
async fn of_a_caller_that_leaves_what_has_begun_goes_on_and_what_waits_for_its_turn_is_not_done() {
    let two = two_levels();
    for key in ["ada", "bob"] {
        two.cache.insert(key, text(key)).await.unwrap();
    }
    two.back.gate(Operation::Write).close();
    let (writer, remover) = (two.cache.clone(), two.cache.clone());
    let writing = tokio::spawn(async move { writer.insert("ada", text("new")).await });
    two.back.gate(Operation::Write).reached(3).await;
    two.back.gate(Operation::Remove).close();
    let removing = tokio::spawn(async move { remover.remove_many(["ada", "bob"]).await.len() });
    two.back.gate(Operation::Remove).reached(1).await;
    removing.abort();
    assert!(removing.await.unwrap_err().is_cancelled());
    settle().await;
    two.back.gate(Operation::Remove).open();
    two.back.gate(Operation::Write).open();
    writing.await.unwrap().unwrap();
    settle().await;
    assert_eq!(two.back.keys(), ["larder:ada"]);
    assert_eq!(two.cache.get("ada").await.unwrap(), Some(text("new")));
}

#[tokio::test]
async fn what_waits_to_be_written_is_dropped() {
    let store = FakeBytes::new();
    let cache =
        Cache::<str, Bytes, _, _>::new(store.clone()).write(Behind::default().every(3_600 * SECOND)).boxed();
    for key in ["ada", "bob"] {
        cache.insert(key, text(key)).await.unwrap();
    }
    cache.remove_many(["ada", "eve"]).await.all().unwrap();
    cache.flush().await.unwrap();
    assert_eq!(store.keys(), ["larder:bob"]);
}

#[tokio::test]
async fn two_that_remove_the_same_keys_in_another_order_do_not_wait_for_each_other_for_ever() {
    let two = two_levels();
    let forth: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let back: Vec<String> = forth.iter().rev().cloned().collect();
    let remove = |keys: Vec<String>| {
        let cache = two.cache.clone();
        tokio::spawn(async move { cache.remove_many(&keys).await.all().unwrap().len() })
    };
    two.back.gate(Operation::Remove).close();
    let both = [remove(forth), remove(back)];
    settle().await;
    two.back.gate(Operation::Remove).open();
    for removing in both {
        assert_eq!(removing.await.unwrap(), 50);
    }
}

#[test]
fn without_a_runtime_the_caller_does_it() {
    let two = two_levels();
    futures::executor::block_on(async {
        two.cache.insert("ada", text("a")).await.unwrap();
        let (removed, calls) = calls_of(&two.back, two.cache.remove_many(["ada", "bob"])).await;
        removed.all().unwrap();
        assert_eq!(calls, [Operation::Remove]);
        assert_eq!(another(&two).get("ada").await.unwrap(), None);
    });
}
