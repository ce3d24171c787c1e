use super::{SECOND, another, calls_of, text, two_levels};
use bytes::Bytes;
use larder_core::{Around, Behind, Cache, ErrorKind, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, settle};
use std::collections::HashMap;

#[tokio::test]
async fn entries_are_in_every_level_with_one_call_a_level() {
    let two = two_levels();
    let entries = [("ada", text("a")), ("bob", text("b"))];
    let (inserted, calls) = calls_of(&two.back, two.cache.insert_many(entries)).await;
    assert_eq!(inserted.all().unwrap().len(), 2);
    assert_eq!(calls, [Operation::Write]);
    assert_eq!((two.cache.get_now("ada"), two.cache.get_now("bob")), (Some(text("a")), Some(text("b"))));
    assert_eq!(
        another(&two).get_many(["bob", "ada"]).await.all().unwrap(),
        [Some(text("b")), Some(text("a"))]
    );
}

#[tokio::test]
async fn entries_are_taken_from_maps_and_lists_and_with_owned_keys() {
    let ages = Cache::new(Fake::<str, u32>::new());
    ages.insert_many(HashMap::from([("ada".to_string(), 36)])).await.all().unwrap();
    ages.insert_many(vec![("bob", 41)]).await.all().unwrap();
    assert_eq!(ages.get_many(["ada", "bob"]).await.all().unwrap(), [Some(36), Some(41)]);
    let numbers = Cache::new(Fake::<u64, u32>::new());
    numbers.insert_many([(7, 36)]).await.all().unwrap();
    numbers.insert_many([(&8, 37)]).await.all().unwrap();
    assert_eq!(numbers.get_many(&[7, 8]).await.all().unwrap(), [Some(36), Some(37)]);
}

#[tokio::test]
async fn of_two_values_for_one_key_the_later_one_stays() {
    let two = two_levels();
    let entries = [("ada", text("1")), ("bob", text("b")), ("ada", text("2")), ("ada", text("3"))];
    let (inserted, calls) = calls_of(&two.back, two.cache.insert_many(entries)).await;
    assert_eq!(inserted.all().unwrap().len(), 4);
    assert_eq!(calls.len(), 3, "those of one key take turns");
    assert_eq!(two.cache.get_now("ada"), Some(text("3")));
    assert_eq!(another(&two).get("ada").await.unwrap(), Some(text("3")));
}

#[tokio::test]
async fn more_than_a_thousand_entries_make_several_calls() {
    let store = FakeBytes::new();
    let cache = Cache::<u64, Bytes, _, _>::new(store.clone()).boxed();
    let (inserted, calls) = calls_of(&store, cache.insert_many((0..2_500).map(|key| (key, text("x"))))).await;
    assert_eq!((inserted.all().unwrap().len(), calls.len(), store.keys().len()), (2_500, 3, 2_500));
}

#[tokio::test]
async fn an_entry_that_cannot_be_written_harms_no_other() {
    let store = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(store.clone()).max_value_bytes(100).boxed();
    let large = Bytes::from(vec![7; 1_000]);
    let inserted = cache.insert_many([("ada", text("a")), ("bob", large), ("eve", text("e"))]).await;
    let kinds: Vec<_> =
        inserted.iter().map(|each| each.as_ref().err().map(larder_core::Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::TooLarge), None]);
    assert_eq!(store.keys(), ["larder:ada", "larder:eve"]);
}

#[tokio::test]
async fn code_of_the_user_that_panics_for_one_key_harms_no_other() {
    for in_memory in [true, false] {
        let store = FakeBytes::new();
        let cache =
            if in_memory { Cache::new(Fake::new()).boxed() } else { Cache::new(store.clone()).boxed() };
        let cache = cache.tags(|key: &str, _: &Bytes| {
            assert!(key != "bob", "not bob");
            [key.to_string()]
        });
        let inserted = cache.insert_many(["ada", "bob", "eve"].map(|key| (key, text(key)))).await;
        let error = inserted[1].as_ref().unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains("not bob")), (ErrorKind::Closed, true));
        let found = cache.get_many(["ada", "bob", "eve"]).await.all().unwrap();
        assert_eq!(found, [Some(text("ada")), None, Some(text("eve"))]);
    }
}

#[tokio::test]
async fn each_entry_has_its_tags_and_what_the_call_says() {
    let two = two_levels();
    let cache = two.cache.clone().tags(|key: &str, _: &Bytes| [format!("user:{key}")]);
    let short = cache.with(|call| call.ttl(5 * SECOND).tag("all"));
    short.insert_many([("ada", text("a")), ("bob", text("b"))]).await.all().unwrap();
    let ada = cache.lookup("ada").await.unwrap().unwrap();
    assert_eq!(ada.ttl_left(), Some(5 * SECOND));
    assert_eq!(ada.tags().len(), 2);
    cache.invalidate_tag("user:ada").await.unwrap();
    assert_eq!(cache.get_many(["ada", "bob"]).await.all().unwrap(), [None, Some(text("b"))]);
    cache.invalidate_tag("all").await.unwrap();
    assert_eq!(cache.get_many(["ada", "bob"]).await.all().unwrap(), [None, None]);
}

#[tokio::test]
async fn a_load_that_is_under_way_for_one_of_them_is_not_stored_over_it() {
    let two = two_levels();
    let loader: Loader<Bytes> = Loader::value(text("old")).gated();
    let (cache, load) = (two.cache.clone(), loader.load());
    let loading = tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() });
    loader.gate().reached(1).await;
    two.cache.insert_many([("ada", text("new")), ("bob", text("b"))]).await.all().unwrap();
    loader.gate().open();
    assert_eq!(loading.await.unwrap(), "old");
    assert_eq!(two.cache.get("ada").await.unwrap(), Some(text("new")));
    assert_eq!(another(&two).get("ada").await.unwrap(), Some(text("new")));
}

#[tokio::test]
async fn what_is_written_behind_is_queued_and_what_is_written_around_is_removed() {
    let store = FakeBytes::new();
    let behind =
        Cache::<str, Bytes, _, _>::new(store.clone()).write(Behind::default().every(3_600 * SECOND)).boxed();
    behind.insert_many([("ada", text("a")), ("bob", text("b"))]).await.all().unwrap();
    assert_eq!(store.count(Operation::Write), 0);
    assert_eq!(behind.get_many(["ada", "bob"]).await.all().unwrap(), [Some(text("a")), Some(text("b"))]);
    behind.flush().await.unwrap();
    assert_eq!(store.keys().len(), 2);

    let around = Cache::<str, Bytes, _, _>::new(store.clone()).write(Around);
    let (inserted, calls) =
        calls_of(&store, around.insert_many([("ada", text("1")), ("bob", text("2"))])).await;
    inserted.all().unwrap();
    assert_eq!(calls, [Operation::Remove]);
    assert_eq!(store.keys().len(), 0);
}

#[tokio::test]
async fn a_key_that_is_being_written_has_its_turn_later_and_holds_up_no_other() {
    let two = two_levels();
    two.back.gate(Operation::Write).close();
    let (first, second) = (two.cache.clone(), two.cache.clone());
    let first = tokio::spawn(async move { first.insert("ada", text("1")).await });
    two.back.gate(Operation::Write).reached(1).await;
    let second = tokio::spawn(async move {
        second.insert_many([("ada", text("2")), ("bob", text("b"))]).await.all().unwrap();
    });
    two.back.gate(Operation::Write).reached(2).await;
    assert_eq!(two.cache.get_now("bob"), None, "both are at the store");
    two.back.gate(Operation::Write).open();
    first.await.unwrap().unwrap();
    second.await.unwrap();
    settle().await;
    assert_eq!(two.back.count(Operation::Write), 3);
    assert_eq!(another(&two).get("ada").await.unwrap(), Some(text("2")));
}
