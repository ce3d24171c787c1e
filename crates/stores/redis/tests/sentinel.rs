//! Sentinels: the store finds the master, and the next one when that has failed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, Clock, ErrorKind, SystemClock};
use larder_testkit::servers::RedisSentinel;
use std::sync::OnceLock;
use std::time::Duration;
use support::{Apart, redis, sentinel_url as url};

/// For tests that leave the servers as they are.
fn shared() -> &'static RedisSentinel {
    static SHARED: OnceLock<RedisSentinel> = OnceLock::new();
    SHARED.get_or_init(RedisSentinel::start)
}

mod conformance {
    use super::{Apart, redis, shared, url};

    larder_testkit::conformance!(bytes, || async { Apart::new(redis(&url(shared())).await) });
}

#[tokio::test]
async fn the_store_follows_the_master_when_it_fails() {
    let servers = RedisSentinel::start();
    let store = redis(&url(&servers)).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();

    servers.main().kill();
    let begun = SystemClock.now_exact();
    while store.put("users:bob", "1".into(), None).await.is_err() {
        assert!(
            SystemClock.now_exact().since(begun) < Duration::from_secs(40),
            "the store does not find the new master"
        );
    }
    let direct = redis(servers.replica().url()).await;
    assert_eq!(direct.get("users:bob").await.unwrap(), Some("1".into()));
    assert_eq!(store.get("users:bob").await.unwrap(), Some("1".into()));
}

#[tokio::test]
async fn a_service_that_the_sentinel_does_not_know_is_told_and_one_sentinel_is_enough() {
    let unknown = url(shared()).replace("/main", "/other");
    let error = larder_redis::Redis::connect(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("know no such service"), "{error}");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = mute.local_addr().unwrap().port();
    let others = format!("redis+sentinel://127.0.0.1:{nobody},127.0.0.1:{mute},");
    let url = url(shared()).replace("redis+sentinel://", &others);
    redis(&url).await.put("users:ada", "1".into(), None).await.unwrap();
}
