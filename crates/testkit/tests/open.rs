//! `larder::open`, with servers behind the URLs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::{ByteStore, Cache, ErrorKind, Json};
use larder_testkit::servers::{Memcached, Postgres, Redis, RedisCluster};

async fn works(url: &str, name: &str) {
    let store = larder::open(url).await.unwrap();
    assert_eq!(store.name(), name, "{url}");
    let ages: Cache<str, u32> = Cache::new(store).codec(Json).namespace("ages").boxed();
    ages.insert("ada", 36).await.unwrap();
    assert_eq!(ages.get("ada").await.unwrap(), Some(36), "{url}");
    assert_eq!(ages.stats().levels[0].name, format!("L1 {name}"));
    ages.clear().await.unwrap();
    assert_eq!(ages.get("ada").await.unwrap(), None, "{url}");
}

#[tokio::test]
async fn each_url_opens_its_store() {
    works(Redis::shared().url(), "Redis").await;
    let nodes: Vec<_> =
        RedisCluster::shared().nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    works(&format!("redis+cluster://{}", nodes.join(",")), "Redis").await;
    works(&Postgres::shared().database(), "Postgres").await;
    works(&Postgres::shared().database().replace("postgres://", "postgresql://"), "Postgres").await;
    works(Memcached::shared().url(), "Memcached").await;
    works("memory:///", "Object").await;
    let folder = tempfile::tempdir().unwrap();
    works(&format!("file://{}", folder.path().display()), "Object").await;
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_no_password() {
    let locked = Redis::options().password("sesame").start();
    let wrong = format!("redis://:hunter2@127.0.0.1:{}", locked.port());
    let database = Postgres::shared().database();
    let missing = format!("{}_missing", database.replace("postgres@", "postgres:hunter2@"));
    for (url, kind, cure) in [
        (wrong.as_str(), ErrorKind::Config, "check user and password"),
        (missing.as_str(), ErrorKind::Config, "create the database"),
        ("redis://:hunter2@127.0.0.1:1", ErrorKind::Store, "nobody listens"),
        ("postgres://postgres:hunter2@127.0.0.1:1/x", ErrorKind::Store, "no connection"),
        ("memcached://127.0.0.1:1", ErrorKind::Store, "127.0.0.1:1"),
        ("redis:/hunter2", ErrorKind::Config, "`redis://`"),
        ("hunter2", ErrorKind::Config, "`redis://`"),
        ("mongodb://:hunter2@h", ErrorKind::Config, "`mongodb`"),
    ] {
        let error = larder::open(url).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error}");
        assert!(error.to_string().contains(cure), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
