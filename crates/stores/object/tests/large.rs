//! Large objects: their beginning first.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod spy;
}

use bytes::Bytes;
use larder_codecs::Json;
use larder_core::{ByteStore, Cache, ErrorKind, PutIf};
use larder_object::Object;
use object_store::ObjectStoreExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use support::clock::HandClock;
use support::spy::Spy;

const MINUTE: Duration = Duration::from_secs(60);

/// A store that reads 1,000 bytes first, with one page of 100,000 that lives for a minute.
async fn store() -> (Spy, Object, HandClock) {
    let (spy, clock) = (Spy::new(), HandClock::default());
    let store = Object::from_store(Arc::new(spy.clone())).head_first(1_000).clock(clock.clone());
    let pages = Cache::new(store.clone()).codec(Json).namespace("pages").ttl(MINUTE).clock(clock.clone());
    pages.insert("ada", "x".repeat(100_000)).await.unwrap();
    spy.take();
    (spy, store, clock)
}

#[tokio::test]
async fn a_small_object_is_one_request() {
    let (spy, store, _) = store().await;
    for (length, requests) in [(0, 1), (979, 1), (980, 1), (981, 2)] {
        store.put("pages:bob", vec![7; length].into(), None).await.unwrap();
        spy.take();
        assert_eq!(store.get("pages:bob").await.unwrap(), Some(vec![7; length].into()));
        assert_eq!(spy.take().len(), requests, "{length}");
    }
}

#[tokio::test]
async fn a_large_one_that_is_alive_is_two_and_comes_back_whole() {
    let (spy, store, _) = store().await;
    let whole = store.clone().head_first(1 << 20).get("pages:ada").await.unwrap().unwrap();
    spy.take();
    assert_eq!(store.get("pages:ada").await.unwrap(), Some(whole.clone()));
    assert_eq!(spy.take(), ["GET 0..1000".to_string(), format!("GET 1000..{}", whole.len() + 20)]);
}

#[tokio::test]
async fn a_large_one_that_is_dead_costs_its_beginning_and_is_nothing() {
    let (spy, store, clock) = store().await;
    clock.advance(MINUTE - Duration::from_millis(1));
    assert!(store.get("pages:ada").await.unwrap().is_some());
    clock.advance(Duration::from_millis(1));
    spy.take();
    assert_eq!(store.get("pages:ada").await.unwrap(), None);
    assert_eq!(store.get_many(&["pages:ada"]).await.pop().unwrap().unwrap(), None);
    assert_eq!(spy.take(), ["GET 0..1000", "GET 0..1000"]);
}

#[tokio::test]
async fn a_dead_one_has_a_token_by_which_it_is_replaced() {
    let (_, store, clock) = store().await;
    let store = store.compare_and_set(true);
    clock.advance(MINUTE);
    let record = store.get_with_token("pages:ada", MINUTE).await.unwrap();
    assert_eq!(record.bytes, None);
    let put = store.put_if("pages:ada", &record.token.unwrap(), "new".into(), None).await.unwrap();
    assert_eq!((put, store.get("pages:ada").await.unwrap()), (PutIf::Done, Some("new".into())));
}

#[tokio::test]
async fn a_too_large_one_costs_its_beginning() {
    let (spy, store, _) = store().await;
    let error = store.max_object_bytes(50_000).get("pages:ada").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(spy.take(), ["GET 0..1000"]);
}

/// What is written anew between the two reads is read as a whole: never the beginning of one and the end of another.
#[tokio::test]
async fn one_that_changes_between_its_parts_is_read_anew() {
    let (spy, store, _) = store().await;
    store.put("pages:bob", vec![7; 5_000].into(), None).await.unwrap();
    spy.take();
    spy.counts.changes_between_parts.store(1, SeqCst);
    assert_eq!(store.get("pages:bob").await.unwrap(), Some(vec![9; 5_000].into()));
    assert_eq!(spy.take(), ["GET 0..1000", "GET 1000..5020", "GET"]);
}

/// Some servers do not know the condition. The version that they name with the second part tells.
#[tokio::test]
async fn a_server_that_ignores_the_condition_does_not_mix_two_versions() {
    let (spy, store, _) = store().await;
    store.put("pages:bob", vec![7; 5_000].into(), None).await.unwrap();
    spy.counts.is_blind.store(true, SeqCst);
    spy.counts.changes_between_parts.store(1, SeqCst);
    spy.take();
    assert_eq!(store.get("pages:bob").await.unwrap(), Some(vec![9; 5_000].into()));
    assert_eq!(spy.take(), ["GET 0..1000", "GET 1000..5020", "GET"]);
}

#[tokio::test]
async fn an_empty_object_of_someone_else_is_read() {
    let (spy, store, _) = store().await;
    let path = spy.only_object().await;
    spy.inner.put(&path, Bytes::new().into()).await.unwrap();
    assert_eq!(store.get("pages:ada").await.unwrap(), Some(Bytes::new()));
}

#[tokio::test]
async fn files_are_read_by_their_beginning_too() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Object::local(scratch.path()).unwrap().head_first(100);
    for length in [0, 99, 100, 101, 100_000] {
        store.put("pages:ada", vec![7; length].into(), None).await.unwrap();
        assert_eq!(store.get("pages:ada").await.unwrap(), Some(vec![7; length].into()), "{length}");
    }
}
