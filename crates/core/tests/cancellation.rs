//! A write that has begun may land although its caller was cancelled: a file is written on another thread, a command
//! is on its way. It must not land after what was done to the key later.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Cache, Error, Operation, Result};
use larder_testkit::{Fake, FakeBytes, MockClock, settle};
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

#[tokio::test]
async fn a_write_that_is_dropped_before_its_turn_is_never_done() {
    let store = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(store.clone());
    let write = store.gate(Operation::Write);
    write.close();
    let slow = tokio::spawn({
        let cache = cache.clone();
        async move { cache.insert("ada", "slow".into()).await }
    });
    write.reached(1).await;
    {
        let mut insert = pin!(cache.insert("ada", "left".into()));
        let mut remove = pin!(cache.remove("ada"));
        let mut clear = pin!(cache.clear());
        poll_once_and_leave(insert.as_mut()).await;
        poll_once_and_leave(remove.as_mut()).await;
        poll_once_and_leave(clear.as_mut()).await;
    }
    write.open();
    slow.await.unwrap().unwrap();
    settle().await;

    assert_eq!(cache.get("ada").await.unwrap(), Some("slow".into()));
    assert_eq!(store.calls(), [Operation::Write, Operation::Read]);
}

/// As `select!` leaves a future that it has polled, while another arm awaits something of the same cache.
async fn poll_once_and_leave<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) {
    for _ in 0..5 {
        assert!(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending());
        settle().await;
    }
}

#[tokio::test]
async fn a_call_that_nobody_polls_any_more_keeps_nobody_waiting() {
    let back = FakeBytes::new();
    let cache = Cache::<str, Bytes, _, _>::new(back.clone()).boxed();
    let write = back.gate(Operation::Write);
    write.close();
    let slow = tokio::spawn({
        let cache = cache.clone();
        async move { cache.insert("ada", "slow".into()).await }
    });
    write.reached(1).await;

    let mut clear = pin!(cache.clear());
    poll_once_and_leave(clear.as_mut()).await;
    let mut insert = pin!(cache.insert("ada", "left".into()));
    poll_once_and_leave(insert.as_mut()).await;
    let mut remove = pin!(cache.remove("ada"));
    poll_once_and_leave(remove.as_mut()).await;
    write.open();
    slow.await.unwrap().unwrap();

    let load = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_or_insert_with("bob", async || Bytes::from("builder")).await }
    });
    let removed = tokio::spawn({
        let cache = cache.clone();
        async move { cache.remove("ada").await }
    });
    settle().await;
    assert!(load.is_finished() && removed.is_finished());
}

#[tokio::test]
async fn a_read_waits_for_nobody_who_writes_its_key() {
    let (front, back, clock) = (FakeBytes::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front.clone())
        .ttl(Duration::from_secs(1))
        .chain(Cache::new(back.clone()))
        .clock(clock.clone())
        .boxed();
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(Duration::from_secs(1));
    back.gate(Operation::Remove).close();
    let remove = tokio::spawn({
        let cache = cache.clone();
        async move { cache.remove("ada").await }
    });
    back.gate(Operation::Remove).reached(1).await;

    assert_eq!(cache.get("ada").await.unwrap(), Some("old".into()), "removed soon, but not yet");
    assert!(!remove.is_finished());
    back.gate(Operation::Remove).open();
    remove.await.unwrap().unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert_eq!(cache.stats().overtaken, 0, "a read that copies nothing is not overtaken");
}

#[tokio::test]
async fn a_read_that_another_runtime_left_undone_is_done_again() {
    let (front, lower) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    let users: Cache<str, Bytes> = Cache::new(front).chain(Cache::new(lower.clone())).boxed();
    Cache::new(lower.clone()).insert("ada", Bytes::from("countess")).await.unwrap();
    lower.gate(Operation::Read).close();
    let ended = {
        let (users, lower) = (users.clone(), lower.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let read = tokio::spawn(async move { users.get("ada").await });
                lower.gate(Operation::Read).reached(1).await;
                drop(read);
            });
            runtime
        })
    };
    let runtime = ended.join().unwrap();
    let reader = tokio::spawn(async move { users.get("ada").await });
    settle().await;
    runtime.shutdown_background();
    lower.gate(Operation::Read).open();
    assert_eq!(reader.await.unwrap().unwrap(), Some("countess".into()));
}
