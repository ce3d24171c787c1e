//! Caches of two processes over one Redis: what the conformance suite cannot ask of every log.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_codecs::Json;
use larder_core::{Cache, load};
use larder_memory::Memory;
use larder_redis::Redis;
use larder_testkit::{MockClock, Proxy, servers, settle};
use std::sync::Arc;
use std::time::Duration;
use support::redis;

const SECOND: Duration = Duration::from_secs(1);

type Users = Cache<str, u32>;

/// What is a process here: a connection, a clock, a memory and a group of its own.
struct Process {
    users: Users,
    clock: MockClock,
    store: Redis,
}

async fn process(server: &servers::Redis) -> Process {
    process_at(server.url()).await
}

async fn process_at(url: &str) -> Process {
    let (store, clock) = (redis(url).await, MockClock::new());
    let users = Cache::new(Memory::<str, u32>::new(100))
        .chain(Cache::new(store.clone()).codec(Json).namespace("users"))
        .ttl(600 * SECOND)
        .clock(clock.clone())
        .boxed();
    Process { users, clock, store }
}

async fn tagged(users: &Users, key: &str, value: u32) -> u32 {
    let load = async move || {
        load::depends_on("team:7");
        Ok::<_, ()>(value)
    };
    users.get_or_load(key, load).await.unwrap()
}

async fn read(users: &Users, key: &str) -> Option<u32> {
    users.get(key).await.unwrap()
}

#[tokio::test]
async fn on_a_bus_others_hear_of_it_without_asking() {
    let server = servers::Redis::start();
    let (one, two) = (process(&server).await, process(&server).await);
    let users = |process: &Process| process.users.clone().bus(Arc::new(process.store.bus()));
    let (ours, theirs) = (users(&one), users(&two));
    tagged(&ours, "ada", 36).await;
    assert_eq!(read(&theirs, "ada").await, Some(36));
    // The listening connection is made in the background: said again until it is heard. The clock stands still.
    while theirs.get_now("ada").is_some() {
        ours.invalidate_tag("team:7").await.unwrap();
        settle().await;
    }
    assert_eq!(read(&theirs, "ada").await, None);
}

#[tokio::test]
async fn an_invalidation_that_the_store_does_not_take_holds_here_and_is_told_later() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (one, two) = (process_at(&proxy.url(server.url())).await, process(&server).await);
    tagged(&one.users, "ada", 36).await;
    assert_eq!(read(&two.users, "ada").await, Some(36));
    proxy.refuse();
    proxy.cut();
    let error = one.users.invalidate_tag("team:7").await.unwrap_err();
    assert!(error.to_string().contains("pending"), "{error}");
    assert_eq!(one.users.get_now("ada"), None, "here it holds");
    assert_eq!(one.users.group().stats().pending, 1);
    proxy.heal();
    // It is tried again by itself, with growing pauses.
    while one.users.group().stats().pending > 0 {
        one.clock.advance(Duration::from_millis(100));
        settle().await;
    }
    two.clock.advance(SECOND);
    assert_eq!(read(&two.users, "ada").await, None);
}

#[tokio::test]
async fn each_operation_takes_as_many_round_trips_as_it_must() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let one = process_at(&proxy.url(server.url())).await;
    tagged(&one.users, "warm", 1).await;
    one.users.remove("warm").await.unwrap();
    let behind = one.users.with(|call| call.skip_level(0));
    let before = std::cell::Cell::new(proxy.round_trips());
    let trips = || proxy.round_trips() - before.replace(proxy.round_trips());

    assert_eq!(tagged(&one.users, "ada", 36).await, 36);
    assert_eq!(trips(), 2, "a load reads the record with the position, and puts");
    assert_eq!(read(&one.users, "ada").await, Some(36));
    assert_eq!(trips(), 0, "a hit in memory");
    assert_eq!(read(&behind, "ada").await, Some(36));
    assert_eq!(trips(), 1, "a hit in the store");
    one.users.insert("ada", 37).await.unwrap();
    assert_eq!(trips(), 2, "an insertion");
    one.users.invalidate_tag("team:7").await.unwrap();
    assert_eq!(trips(), 1, "a tag");
    one.users.remove("ada").await.unwrap();
    assert_eq!(trips(), 1, "a removal");
    assert_eq!(read(&behind, "nobody").await, None);
    assert_eq!(trips(), 1, "a miss");
}
