use super::{SECOND, another, calls_of, text, two_levels};
use bytes::Bytes;
use larder_core::{Cache, Error, ErrorKind, OnStoreError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, Recorder, settle};

#[tokio::test]
async fn answers_come_in_the_order_of_the_keys_and_one_asked_twice_is_answered_twice() {
    let two = two_levels();
    two.cache.insert("ada", text("a")).await.unwrap();
    another(&two).insert("bob", text("b")).await.unwrap();

    let (found, calls) =
        calls_of(&two.back, two.cache.get_many(["bob", "eve", "ada", "bob", "eve", "ada"])).await;
    let (ada, bob) = (Some(text("a")), Some(text("b")));
    assert_eq!(found.all().unwrap(), [bob.clone(), None, ada.clone(), bob, None, ada]);
    assert_eq!(calls, [Operation::Read]);
}

#[tokio::test]
async fn keys_are_taken_in_every_form_that_can_be_borrowed() {
    let texts = Cache::new(Fake::<str, u32>::new());
    texts.insert("ada", 36).await.unwrap();
    let owned = vec!["ada".to_string()];
    assert_eq!(texts.get_many(&owned).await.all().unwrap(), [Some(36)]);
    assert_eq!(texts.get_many(&["ada"]).await.all().unwrap(), [Some(36)]);
    assert_eq!(texts.get_many(["ada"]).await.all().unwrap(), [Some(36)]);
    assert_eq!(texts.get_many(owned.iter().map(String::as_str)).await.all().unwrap(), [Some(36)]);
    assert!(texts.get_many::<str>([]).await.is_empty());

    let numbers = Cache::new(Fake::<u64, u32>::new());
    numbers.insert(&7, 36).await.unwrap();
    assert_eq!(numbers.get_many(&[7, 8]).await.all().unwrap(), [Some(36), None]);
}

#[tokio::test]
async fn what_is_found_at_a_lower_level_is_copied_into_those_before_it_in_one_call_a_level() {
    let (front, middle, back) = (Fake::<str, Bytes>::new(), FakeBytes::new(), FakeBytes::new());
    let cache = Cache::new(front.clone()).chain(Cache::new(middle.clone())).chain(Cache::new(back.clone()));
    let behind = Cache::<str, Bytes, _, _>::new(back.clone());
    Cache::<str, Bytes, _, _>::new(middle.clone()).insert("ada", text("a")).await.unwrap();
    behind.insert("bob", text("b")).await.unwrap();
    behind.insert("eve", text("e")).await.unwrap();

    let keys = ["ada", "bob", "eve", "nobody"];
    let ((found, of_back), of_middle) = calls_of(&middle, calls_of(&back, cache.get_many(keys))).await;
    let expected = [Some(text("a")), Some(text("b")), Some(text("e")), None];
    assert_eq!(found.all().unwrap(), expected);
    assert_eq!(of_middle, [Operation::Read, Operation::Write]);
    assert_eq!(of_back, [Operation::Read]);

    let ((again, of_back), of_middle) = calls_of(&middle, calls_of(&back, cache.get_many(&keys[..3]))).await;
    assert_eq!(again.all().unwrap(), expected[..3]);
    assert_eq!((of_middle.len(), of_back.len()), (0, 0), "all of it is in memory");
}

#[tokio::test]
async fn hits_and_misses_are_counted_as_those_of_single_reads() {
    let two = two_levels();
    two.cache.insert("ada", text("a")).await.unwrap();
    another(&two).insert("bob", text("b")).await.unwrap();
    two.cache.get_many(["ada", "bob", "eve"]).await.all().unwrap();
    let stats = two.cache.stats();
    assert_eq!((stats.levels[0].fresh_hits, stats.levels[0].misses), (1, 2));
    assert_eq!((stats.levels[1].fresh_hits, stats.levels[1].misses), (1, 1));
}

#[tokio::test]
async fn a_thousand_keys_go_into_one_call_and_more_into_several() {
    let store = FakeBytes::new();
    let cache = Cache::<u64, Bytes, _, _>::new(store.clone()).boxed();
    cache.insert(&2_000, text("x")).await.unwrap();
    let keys: Vec<u64> = (0..2_001).collect();
    assert_eq!(calls_of(&store, cache.get_many(&keys[..1_000])).await.1.len(), 1);
    let (found, calls) = calls_of(&store, cache.get_many(&keys)).await;
    assert_eq!(calls.len(), 3);
    let found = found.all().unwrap();
    assert_eq!((found.len(), found.iter().flatten().count()), (2_001, 1));
    assert_eq!(found[2_000], Some(text("x")));
}

#[tokio::test]
async fn the_calls_for_more_than_a_thousand_keys_are_under_way_at_the_same_time() {
    let store = FakeBytes::new();
    let cache = Cache::<u64, Bytes, _, _>::new(store.clone()).boxed();
    store.gate(Operation::Read).close();
    let keys: Vec<u64> = (0..3_000).collect();
    let reading = tokio::spawn(async move { cache.get_many(&keys).await.all().unwrap().len() });
    store.gate(Operation::Read).reached(3).await;
    store.gate(Operation::Read).open();
    assert_eq!(reading.await.unwrap(), 3_000);
}

#[tokio::test]
async fn a_level_that_fails_is_passed_over_or_fails_the_keys_that_needed_it() {
    let two = two_levels();
    let cache = two.cache.clone();
    cache.insert("ada", text("a")).await.unwrap();
    two.back.fail(&[Operation::Read]);

    assert_eq!(cache.get_many(["ada", "bob"]).await.all().unwrap(), [Some(text("a")), None]);
    assert_eq!(two.cache.stats().levels[1].errors, 1);
    let strict = cache.on_store_error(OnStoreError::Fail);
    let found = strict.get_many(["ada", "bob", "eve"]).await;
    assert_eq!(found[0].as_ref().unwrap(), &Some(text("a")));
    let kinds: Vec<_> = found[1..].iter().map(|each| each.as_ref().unwrap_err().kind()).collect();
    assert_eq!(kinds, [ErrorKind::Store, ErrorKind::Store]);
}

#[tokio::test]
async fn bytes_that_cannot_be_used_are_a_miss_of_their_key_only() {
    let two = two_levels();
    another(&two).insert("ada", text("a")).await.unwrap();
    two.back.put_raw("larder:bob", "no envelope");
    assert_eq!(two.cache.get_many(["bob", "ada"]).await.all().unwrap(), [None, Some(text("a"))]);
}

#[tokio::test]
async fn stale_values_are_served_and_the_level_behind_is_asked_for_all_of_them_in_the_background() {
    let two = two_levels();
    for key in ["ada", "bob"] {
        two.cache.insert(key, text("old")).await.unwrap();
    }
    two.clock.advance(70 * SECOND);
    for key in ["ada", "bob"] {
        another(&two).insert(key, text("new")).await.unwrap();
    }
    let (old, new) = (Some(text("old")), Some(text("new")));
    two.back.gate(Operation::Read).close();
    let (found, calls) = calls_of(&two.back, async {
        let found = two.cache.get_many(["ada", "bob"]).await;
        two.back.gate(Operation::Read).reached(1).await;
        two.back.gate(Operation::Read).open();
        settle().await;
        found
    })
    .await;
    assert_eq!(found.all().unwrap(), [old.clone(), old]);
    assert_eq!(calls, [Operation::Read]);
    assert_eq!(two.cache.get_many(["ada", "bob"]).await.all().unwrap(), [new.clone(), new]);
}

#[tokio::test]
async fn a_key_that_is_being_read_is_waited_for_and_the_others_are_asked_for_together() {
    let two = two_levels();
    for key in ["ada", "bob", "eve"] {
        another(&two).insert(key, text(key)).await.unwrap();
    }
    two.back.gate(Operation::Read).close();
    let (single, many) = (two.cache.clone(), two.cache.clone());
    let single = tokio::spawn(async move { single.get("ada").await.unwrap() });
    two.back.gate(Operation::Read).reached(1).await;
    let many = tokio::spawn(async move { many.get_many(["ada", "bob", "eve"]).await.all().unwrap() });
    two.back.gate(Operation::Read).reached(2).await;
    settle().await;
    two.back.gate(Operation::Read).open();

    assert_eq!(single.await.unwrap(), Some(text("ada")));
    assert_eq!(many.await.unwrap(), [Some(text("ada")), Some(text("bob")), Some(text("eve"))]);
    assert_eq!((two.back.count(Operation::Read), two.cache.stats().joins), (2, 1));
}

#[tokio::test]
async fn a_read_of_many_does_not_wait_for_a_load_of_one_of_them() {
    let two = two_levels();
    another(&two).insert("bob", text("b")).await.unwrap();
    let loader: Loader<Bytes> = Loader::value(text("a")).gated();
    let (cache, load) = (two.cache.clone(), loader.load());
    let loading = tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() });
    loader.gate().reached(1).await;

    assert_eq!(two.cache.get_many(["ada", "bob"]).await.all().unwrap(), [None, Some(text("b"))]);
    loader.gate().open();
    assert_eq!(loading.await.unwrap(), "a");
}

#[tokio::test]
async fn a_caller_that_leaves_harms_nobody_who_reads_the_same_keys() {
    let two = two_levels();
    another(&two).insert("ada", text("a")).await.unwrap();
    two.back.gate(Operation::Read).close();
    let (leaving, staying) = (two.cache.clone(), two.cache.clone());
    let leaving = tokio::spawn(async move { leaving.get_many(["ada", "bob"]).await.len() });
    two.back.gate(Operation::Read).reached(1).await;
    let staying = tokio::spawn(async move { staying.get_many(["ada", "bob"]).await.all().unwrap() });
    settle().await;
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    two.back.gate(Operation::Read).open();

    assert_eq!(staying.await.unwrap(), [Some(text("a")), None]);
    assert_eq!(two.back.count(Operation::Read), 1);
}

#[tokio::test]
async fn what_is_removed_while_many_are_read_does_not_come_back() {
    let two = two_levels();
    for key in ["ada", "bob"] {
        another(&two).insert(key, text(key)).await.unwrap();
    }
    two.back.gate(Operation::Read).close();
    let cache = two.cache.clone();
    let reading = tokio::spawn(async move { cache.get_many(["ada", "bob"]).await.all().unwrap() });
    two.back.gate(Operation::Read).reached(1).await;
    // The read has the value in hand when the removal comes.
    let store = two.back.clone();
    let late = another(&two);
    two.cache.remove("ada").await.unwrap();
    late.insert("ada", text("of another process")).await.unwrap();
    store.gate(Operation::Read).open();
    reading.await.unwrap();

    assert_eq!(two.cache.get_now("ada"), None, "it was read before the removal had ended");
    assert_eq!(two.cache.get_now("bob"), Some(text("bob")));
}

#[tokio::test]
async fn what_waits_to_be_written_is_read() {
    let store = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(store.clone())
        .write(larder_core::Behind::default().every(3_600 * SECOND))
        .boxed();
    cache.insert("ada", text("a")).await.unwrap();
    let (found, calls) = calls_of(&store, cache.get_many(["ada", "bob"])).await;
    assert_eq!(found.all().unwrap(), [Some(text("a")), None]);
    assert_eq!(calls, [Operation::Read], "for the one that does not wait");
}

#[test]
fn without_a_runtime_the_caller_does_it() {
    let two = two_levels();
    futures::executor::block_on(async {
        another(&two).insert("ada", text("a")).await.unwrap();
        let (found, calls) = calls_of(&two.back, two.cache.get_many(["ada", "bob"])).await;
        assert_eq!(found.all().unwrap(), [Some(text("a")), None]);
        assert_eq!(calls, [Operation::Read]);
    });
}

#[tokio::test]
async fn a_store_that_answers_for_too_few_keys_harms_the_others_only() {
    #[derive(Debug)]
    struct Short;

    impl larder_core::ByteStore for Short {
        async fn get(&self, _: &str) -> Result<Option<Bytes>, Error> {
            Ok(None)
        }
        async fn put(&self, _: &str, _: Bytes, _: Option<std::time::SystemTime>) -> Result<(), Error> {
            Ok(())
        }
        async fn remove(&self, _: &str) -> Result<(), Error> {
            Ok(())
        }
        async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, Error>> {
            assert!(keys.len() < 4, "it panics as well");
            vec![Ok(None)]
        }
    }
    let cache = Cache::<u64, Bytes, _, _>::new(Short).on_store_error(OnStoreError::Fail);
    let found = cache.get_many(&[1, 2, 3]).await;
    assert!(found[0].is_ok());
    assert_eq!(found[2].as_ref().unwrap_err().kind(), ErrorKind::Closed);
    assert!(cache.get_many(&[1, 2, 3, 4]).await.iter().all(Result::is_err));
}

#[tokio::test]
async fn failures_are_told_for_each_key() {
    let (store, recorder) = (FakeBytes::new(), Recorder::new());
    let cache = Cache::<str, Bytes, _, _>::new(store.clone()).observer(recorder.clone());
    store.fail(&[Operation::Read]);
    cache.get_many(["ada", "bob"]).await.all().unwrap();
    assert_eq!(store.count(Operation::Read), 1);
    assert_eq!(cache.stats().levels[0].errors, 2);
    assert_eq!(recorder.failures().len(), 2);
}
