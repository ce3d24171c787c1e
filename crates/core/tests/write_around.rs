//! `.write(Around)`: inserts go past a level, which loads and promotions fill.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Around, Cache, Operation, Through};
use larder_testkit::{Fake, FakeBytes, Loader};

#[tokio::test]
async fn an_insert_goes_past_the_level_and_removes_what_is_there() {
    let (front, back) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    let cache = Cache::new(front.clone()).write(Around).chain(Cache::new(back.clone())).boxed();
    let loader: Loader<Bytes> = Loader::value("lady".into());
    cache.get_or_load("ada", loader.load()).await.unwrap();
    assert_eq!(front.len(), 1, "loads fill it");

    cache.insert("ada", "countess".into()).await.unwrap();
    assert!(front.is_empty());
    assert_eq!(cache.get_now("ada"), None);
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    assert_eq!(cache.get_now("ada"), Some("countess".into()), "promotions fill it too");
}

#[tokio::test]
async fn a_lower_level_can_be_written_around_as_well() {
    let (front, back) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    let cache = Cache::new(front).chain(Cache::new(back.clone()).write(Around));
    back.put_raw("larder:ada", "anything");
    cache.insert("ada", "countess".into()).await.unwrap();
    assert_eq!((back.count(Operation::Write), back.keys().len()), (0, 0));
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));

    let loader: Loader<Bytes> = Loader::value("clerk".into());
    cache.get_or_load("bob", loader.load()).await.unwrap();
    assert_eq!(back.keys(), ["larder:bob"]);
}

#[tokio::test]
async fn the_last_strategy_that_is_said_counts() {
    let store = Fake::<str, Bytes>::new();
    let cache = Cache::new(store.clone()).write(Around).write(Through);
    cache.insert("ada", "countess".into()).await.unwrap();
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn the_strategy_stays_when_the_codec_and_the_namespace_are_said_after_it() {
    let store = FakeBytes::new();
    let cache = Cache::new(store.clone()).write(Around).codec(larder_core::Raw).namespace("n");
    cache.insert("ada", Bytes::from("countess")).await.unwrap();
    assert_eq!(store.calls(), [Operation::Remove]);
}
