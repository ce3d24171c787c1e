//! Copies in the process, which the server says to forget.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, Clock, ErrorKind, SystemClock};
use larder_redis::Redis;
use larder_testkit::Proxy;
use larder_testkit::servers::{self, RedisCluster};
use std::time::Duration;
use support::{command, patient, redis};

const COPIES: usize = 1 << 20;

async fn tracked(url: &str) -> Redis {
    patient().tracked(COPIES).connect(url).await.unwrap()
}

/// How many commands of this name the server has had.
async fn calls(server: &servers::Redis, name: &str) -> u64 {
    let stats = support::bulk(server.port(), &["INFO", "commandstats"]).await;
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")).map(str::to_owned));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// Asks until the answer is this one: a message takes its time.
async fn until(store: &Redis, key: &str, expected: Option<&'static str>) {
    let begun = SystemClock.now_exact();
    loop {
        let found = store.get(key).await.unwrap_or(None);
        if found.as_deref() == expected.map(str::as_bytes) {
            return;
        }
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(5), "{key} is still {found:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_nobody_changes_is_read_from_the_server_once_and_so_is_what_is_not_there() {
    let server = servers::Redis::start();
    let store = tracked(server.url()).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();
    for _ in 0..100 {
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
        assert_eq!(store.get("users:none").await.unwrap(), None);
    }
    assert_eq!(calls(&server, "get").await, 2);
}

#[tokio::test]
async fn what_another_client_changes_removes_or_lets_expire_is_read_anew() {
    let server = servers::Redis::start();
    let (store, other) = (tracked(server.url()).await, redis(server.url()).await);
    for value in ["1815", "1816"] {
        other.put("users:ada", value.into(), None).await.unwrap();
        until(&store, "users:ada", Some(value)).await;
        until(&store, "users:ada", Some(value)).await;
    }
    other.remove("users:ada").await.unwrap();
    until(&store, "users:ada", None).await;

    let soon = SystemClock.wall() + Duration::from_millis(50);
    other.put("users:ada", "brief".into(), Some(soon)).await.unwrap();
    until(&store, "users:ada", Some("brief")).await;
    until(&store, "users:ada", None).await;

    other.put("users:ada", "cleared".into(), None).await.unwrap();
    until(&store, "users:ada", Some("cleared")).await;
    command(server.port(), &["FLUSHALL"]).await;
    until(&store, "users:ada", None).await;
}

/// A reader and a writer at the same time: however their messages cross, what was written is seen in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_is_overtaken_leaves_no_copy() {
    let server = servers::Redis::start();
    let (store, other) = (tracked(server.url()).await, redis(server.url()).await);
    for round in 0..300 {
        let value: &'static str = format!("{round}").leak();
        let reading = tokio::spawn({
            let store = store.clone();
            async move {
                for _ in 0..4 {
                    store.get("users:ada").await.unwrap();
                }
            }
        });
        other.put("users:ada", value.into(), None).await.unwrap();
        reading.await.unwrap();
        until(&store, "users:ada", Some(value)).await;
    }
}

#[tokio::test]
async fn what_this_process_writes_is_seen_at_once() {
    let server = servers::Redis::start();
    let store = tracked(server.url()).await;
    for round in 0..200 {
        let value = round.to_string();
        store.put("users:ada", value.clone().into(), None).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), Some(value.into()));
    }
    store.remove("users:ada").await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), None);
}

#[tokio::test]
async fn with_the_connection_all_copies_go() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (store, other) = (tracked(&proxy.url(server.url())).await, redis(server.url()).await);
    other.put("users:ada", "old".into(), None).await.unwrap();
    until(&store, "users:ada", Some("old")).await;

    proxy.cut();
    other.put("users:ada", "new".into(), None).await.unwrap();
    until(&store, "users:ada", Some("new")).await;
}

#[tokio::test]
async fn with_a_connection_that_died_in_silence_all_copies_go_once_that_is_found() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let other = redis(server.url()).await;
    let impatient = Redis::options().response_timeout(Duration::from_millis(300)).tracked(COPIES);
    let store = impatient.connect(&proxy.url(server.url())).await.unwrap();
    other.put("users:ada", "old".into(), None).await.unwrap();
    until(&store, "users:ada", Some("old")).await;

    proxy.blackhole();
    other.put("users:ada", "new".into(), None).await.unwrap();
    store.get("users:bob").await.unwrap_err();
    proxy.heal();
    until(&store, "users:ada", Some("new")).await;
}

#[tokio::test]
async fn a_cluster_is_not_tracked_and_says_so() {
    let url = support::cluster_url(RedisCluster::shared());
    let error = Redis::options().tracked(COPIES).connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`.tracked(n)`"), "{error}");
}
