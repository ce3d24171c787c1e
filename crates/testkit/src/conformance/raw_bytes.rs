//! The contract of a store of bytes, without a cache around it.

use bytes::Bytes;
use larder_core::{ByteStore, Cleared};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

async fn read<S: ByteStore>(store: &S, key: &str) -> Option<Bytes> {
    store.get(key).await.expect("a healthy store can be read")
}

async fn write<S: ByteStore>(store: &S, key: &str, bytes: impl Into<Bytes>) {
    store.put(key, bytes.into(), None).await.expect("a healthy store can be written");
}

/// The year 2200: nothing expires during a test, on whichever clock the store goes by.
fn far_ahead() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(7_258_118_400)
}

/// Bytes of any content come back as they were.
///
/// # Panics
///
/// If not.
pub async fn bytes_come_back_exactly<S: ByteStore>(store: S) {
    assert_eq!(read(&store, "suite:ada").await, None, "an empty store has nothing");
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for (key, bytes) in [("suite:all", every_byte), ("suite:none", Vec::new()), ("suite:zero", vec![0])] {
        write(&store, key, bytes.clone()).await;
        assert_eq!(read(&store, key).await, Some(bytes.into()), "{key}");
    }
}

/// The last put counts; removed bytes are gone; removing what is not there is fine.
///
/// # Panics
///
/// If not.
pub async fn a_put_replaces_and_a_remove_removes<S: ByteStore>(store: S) {
    write(&store, "suite:ada", "a longer old value").await;
    write(&store, "suite:bob", "other").await;
    write(&store, "suite:ada", "new").await;
    assert_eq!(read(&store, "suite:ada").await, Some("new".into()));

    store.remove("suite:ada").await.expect("a healthy store can be removed from");
    store.remove("suite:ada").await.expect("removing what is not there is no error");
    assert_eq!(read(&store, "suite:ada").await, None);
    assert_eq!(read(&store, "suite:bob").await, Some("other".into()));
}

/// A deadline far ahead is no reason to forget.
///
/// # Panics
///
/// If the store forgets.
pub async fn bytes_that_have_not_expired_are_kept<S: ByteStore>(store: S) {
    let put = store.put("suite:ada", "countess".into(), Some(far_ahead())).await;
    put.expect("a healthy store can be written");
    assert_eq!(read(&store, "suite:ada").await, Some("countess".into()));
}

/// A store that expires what it holds does so by the deadline and by nothing else; one that does not claim it may.
///
/// # Panics
///
/// If what has expired is there.
pub async fn what_has_expired_is_gone_if_claimed<S: ByteStore>(store: S) {
    write(&store, "suite:ada", "older").await;
    let long_ago = Some(UNIX_EPOCH + Duration::from_secs(1));
    let put = store.put("suite:ada", "countess".into(), long_ago).await;
    put.expect("what is dead can be put");
    let found = read(&store, "suite:ada").await;
    assert!(found.is_none() || found == Some("countess".into()), "the older bytes came back");
    assert!(found.is_none() || !store.capabilities().expires, "the store claims to expire");
    write(&store, "suite:ada", "without end").await;
    assert_eq!(read(&store, "suite:ada").await, Some("without end".into()), "a deadline outlived its bytes");
}

/// `Arc<B>` forwards everything.
///
/// # Panics
///
/// If not.
pub async fn an_arc_of_the_store_is_the_store<S: ByteStore>(store: S) {
    let store = Arc::new(store);
    write(&store, "suite:ada", "countess").await;
    assert!(read(&*store, "suite:ada").await.is_some());
    assert_eq!(ByteStore::capabilities(&store), S::capabilities(&store));
    assert_eq!(ByteStore::usage(&store), S::usage(&store));
}

/// `clear` removes its prefix, and nothing that begins alike; or says that it cannot.
///
/// # Panics
///
/// If not.
pub async fn what_it_claims_is_true<S: ByteStore>(store: S) {
    let claims = store.capabilities();
    let others =
        ["suite%3A:ada", "suite2:ada", "suit:ada", "Suite:ada", "other:suite:ada", ":ada", "suite/x:ada"];
    write(&store, "suite:ada", "countess").await;
    write(&store, "suite:", "the empty key").await;
    write(&store, "suite:a/b:c", "with a colon").await;
    for other in others {
        write(&store, other, other).await;
    }

    let cleared = store.clear("suite:").await.expect("a healthy store can be cleared");

    assert_eq!(cleared == Cleared::Done, claims.clear, "`clear` does what the capability says");
    for own in ["suite:ada", "suite:", "suite:a/b:c"] {
        assert_eq!(read(&store, own).await.is_none(), claims.clear, "{own}");
    }
    for other in others {
        assert_eq!(read(&store, other).await, Some(other.into()), "{other} belongs to another namespace");
    }
}
