//! A write that has begun may land although its caller was cancelled: a file is written on another thread, a command
//! is on its way. It must not land after what was done to the key later.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Cache, Error, Operation, Result};
use larder_testkit::{FakeBytes, MockClock, settle};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

/// Writes go on when their futures are dropped, as those of real stores may.
#[derive(Clone, Default)]
struct Unstoppable(FakeBytes);

impl ByteStore for Unstoppable {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        let (store, key) = (self.0.clone(), key.to_owned());
        tokio::spawn(async move { store.put(&key, bytes, expires_at).await }).await.unwrap()
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(key).await
    }
}

/// Polls `call` until its write has reached the store, drops it there, removes the key, lets the write go on, and
/// returns what the cache has in the end.
async fn cut_off_while_writing(
    store: &Unstoppable,
    cache: &Cache<str, Bytes>,
    call: impl Future<Output = impl Sized>,
) -> Option<Bytes> {
    let write = store.0.gate(Operation::Write);
    let before = write.times_reached();
    write.close();
    {
        let mut call = pin!(call);
        while write.times_reached() == before {
            assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
            settle().await;
        }
    }
    let remove = tokio::spawn({
        let cache = cache.clone();
        async move { cache.remove("ada").await }
    });
    settle().await;
    write.open();
    remove.await.unwrap().unwrap();
    settle().await;
    cache.get("ada").await.unwrap()
}

#[tokio::test]
async fn a_cut_insert_does_not_land_after_a_later_remove() {
    let store = Unstoppable::default();
    let cache = Cache::new(store.clone()).boxed();
    let insert = cache.insert("ada", "old".into());
    assert_eq!(cut_off_while_writing(&store, &cache, insert).await, None);
}

#[tokio::test]
async fn the_value_of_a_cut_scoped_load_does_not_land_after_a_later_remove() {
    let store = Unstoppable::default();
    let cache = Cache::new(store.clone()).boxed();
    let load = cache.get_or_load_scoped("ada", async || Ok::<_, Error>(Bytes::from("old")));
    assert_eq!(cut_off_while_writing(&store, &cache, load).await, None);
}

#[tokio::test]
async fn the_copy_of_a_cut_read_does_not_land_after_a_later_remove() {
    let (front, back, clock) = (Unstoppable::default(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front.clone())
        .ttl(Duration::from_secs(1))
        .chain(Cache::new(back.clone()))
        .clock(clock.clone())
        .boxed();
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let read = cache.get("ada");
    assert_eq!(cut_off_while_writing(&front, &cache, read).await, None);
}
