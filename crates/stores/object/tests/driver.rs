//! What the store asks of its driver, and what it makes of the driver's answers.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod spy;
}

use bytes::Bytes;
use larder_codecs::Json;
use larder_core::{ByteStore, Cache, Cleared, ErrorKind, envelope};
use larder_object::{Object, Purged};
use object_store::ObjectStoreExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use support::clock::HandClock;
use support::spy::Spy;

const MINUTE: Duration = Duration::from_secs(60);

/// A store of so many objects that have expired.
async fn expired(objects: u64) -> (Spy, Object, HandClock) {
    let (spy, clock) = (Spy::new(), HandClock::default());
    let store = Object::from_store(Arc::new(spy.clone()));
    let cache = Cache::new(store.clone()).codec(Json).ttl(MINUTE).clock(clock.clone());
    for number in 0..objects {
        cache.insert(&number, "x".repeat(1_000)).await.unwrap();
    }
    clock.advance(MINUTE);
    (spy, store, clock)
}

#[tokio::test]
async fn a_purge_reads_only_heads_and_few_at_a_time() {
    let (spy, store, clock) = expired(500).await;

    assert_eq!(store.purge_expired(&clock).await.unwrap().removed, 500);
    assert_eq!(spy.counts.reads.load(SeqCst), 500);
    assert_eq!(spy.counts.most_bytes.load(SeqCst), 20 + envelope::HEAD_BYTES as u64, "with the frame's 20");
    assert_eq!(spy.counts.most_reading.load(SeqCst), 16);
}

#[tokio::test]
async fn a_purge_holds_no_more_names_than_it_reads() {
    let (spy, store, clock) = expired(5_000).await;

    assert_eq!(store.purge_expired(&clock).await.unwrap().removed, 5_000);
    let ahead = spy.counts.most_ahead.load(SeqCst);
    assert!(ahead <= 16, "the listing was {ahead} objects ahead");
}

#[tokio::test]
async fn the_content_of_a_large_object_is_not_read() {
    let mut spy = Spy::new();
    spy.claimed_bytes = Some(10 << 30);
    let store = Object::from_store(Arc::new(spy));
    store.put("users:ada", "1815".into(), None).await.unwrap();

    let error = store.get("users:ada").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("`.max_object_bytes(n)` allows more"), "{error}");
}

#[tokio::test]
async fn the_largest_object_is_read_and_one_byte_more_is_not() {
    let store = Object::in_memory();
    let small = store.clone().max_object_bytes(1_000);
    small.put("users:ada", vec![0; 1_000].into(), None).await.unwrap();
    assert_eq!(small.get("users:ada").await.unwrap().unwrap().len(), 1_000);

    store.put("users:ada", vec![0; 1_001].into(), None).await.unwrap();
    assert_eq!(small.get("users:ada").await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_put_that_is_refused_leaves_no_older_value() {
    let store = Object::in_memory().max_object_bytes(1_000);
    store.put("users:ada", "older".into(), None).await.unwrap();

    let error = store.put("users:ada", vec![0; 1_001].into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(store.get("users:ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_broken_driver_is_an_error_of_the_store() {
    let (spy, store, clock) = expired(3).await;
    spy.counts.broken.store(true, SeqCst);

    let errors = [
        store.get("larder:0").await.map(drop).unwrap_err(),
        store.put("larder:0", "x".into(), None).await.unwrap_err(),
        store.remove("larder:0").await.unwrap_err(),
        store.clear("larder:").await.map(drop).unwrap_err(),
        store.purge_expired(&clock).await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Store);
        let source = std::error::Error::source(&error).expect("the driver's own error");
        assert!(source.to_string().contains("connection refused"), "{source}");
    }

    spy.counts.broken.store(false, SeqCst);
    assert_eq!(store.purge_expired(&clock).await.unwrap().removed, 3);
}

#[tokio::test]
async fn what_someone_else_removed_meanwhile_is_no_error() {
    let (spy, store, clock) = expired(3).await;
    spy.counts.vanished.store(true, SeqCst);

    assert_eq!(store.purge_expired(&clock).await.unwrap(), Purged::default());
    assert_eq!(store.clear("larder:").await.unwrap(), Cleared::Done);
    store.remove("larder:0").await.unwrap();
    assert_eq!(store.get("larder:0").await.unwrap(), None);
}

#[tokio::test]
async fn an_empty_object_is_unreadable_without_being_read() {
    let (spy, store, clock) = expired(1).await;
    let path = spy.only_object().await;
    spy.inner.put(&path, Bytes::new().into()).await.unwrap();

    let purged = store.purge_expired(&clock).await.unwrap();
    assert_eq!((purged.examined, purged.unreadable), (1, 1));
    assert_eq!(spy.counts.reads.load(SeqCst), 0);
}

#[tokio::test]
async fn a_listing_that_breaks_off_is_an_error_and_not_an_end() {
    let (spy, store, clock) = expired(10).await;
    spy.counts.listing_breaks_after.store(4, SeqCst);
    assert_eq!(store.clear("larder:").await.unwrap_err().kind(), ErrorKind::Store);

    let (spy, store, _) = expired(10).await;
    spy.counts.listing_breaks_after.store(4, SeqCst);
    assert_eq!(store.purge_expired(&clock).await.unwrap_err().kind(), ErrorKind::Store);
    spy.counts.listing_breaks_after.store(0, SeqCst);
    assert_eq!(store.purge_expired(&clock).await.unwrap().removed, 6, "the first four went before");
}

#[tokio::test]
async fn nothing_of_a_given_driver_is_shown() {
    let (spy, store, _) = expired(1).await;
    spy.counts.broken.store(true, SeqCst);
    let error = store.get("larder:0").await.unwrap_err();

    let shown = format!("{store:?} {store:#?} {error} {error:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("Given"), "{shown}");
}

#[test]
fn the_folder_is_shown() {
    let scratch = tempfile::tempdir().unwrap();
    let shown = format!("{:?}", Object::local(scratch.path()).unwrap());
    assert!(shown.contains(scratch.path().file_name().unwrap().to_str().unwrap()), "{shown}");
}
