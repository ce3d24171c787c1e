//! Sentinels: the store finds the master, and the next one when that has failed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, Clock, ErrorKind, SystemClock};
use larder_testkit::{Together, servers};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::redis;

/// A sentinel, which ends with this.
struct Sentinel {
    process: Child,
    port: u16,
    #[expect(dead_code, reason = "its configuration is there as long as it is")]
    folder: tempfile::TempDir,
}

impl Sentinel {
    fn of(main: &servers::Redis) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n",
            folder.path().display(),
            main.port()
        );
        std::fs::write(&configuration, text).unwrap();
        let mut program = Command::new("redis-server");
        program.arg(&configuration).arg("--sentinel").stdout(Stdio::null()).stderr(Stdio::null());
        let process = program.spawn().expect("the tests of sentinels need `apt-get install redis-server`");
        Sentinel { process, port, folder }
    }

    fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.port)
    }

    /// A store, once the sentinel has started.
    async fn store(&self) -> larder_redis::Redis {
        let begun = SystemClock.now_exact();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(
                SystemClock.now_exact().since(begun) < Duration::from_secs(20),
                "the sentinel does not start"
            );
        }
        redis(&self.url()).await
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

mod conformance {
    use super::{Sentinel, Together, servers};

    larder_testkit::conformance!(bytes, || async {
        let main = servers::Redis::start();
        let sentinel = Sentinel::of(&main);
        let store = sentinel.store().await;
        Together::new(store, (main, sentinel))
    });
}

#[tokio::test]
async fn the_store_follows_the_master_when_it_fails() {
    let main = servers::Redis::start();
    let replica = servers::Redis::options().replica_of(&main).start();
    let sentinel = Sentinel::of(&main);
    let store = sentinel.store().await;
    store.put("users:ada", "1815".into(), None).await.unwrap();

    // The sentinel must know the replica before its master fails.
    let begun = SystemClock.now_exact();
    let late = || SystemClock.now_exact().since(begun) > Duration::from_secs(40);
    loop {
        let replicas = support::command(sentinel.port, &["SENTINEL", "REPLICAS", "main"]).await;
        if replicas.starts_with("*1") {
            break;
        }
        assert!(!late(), "the sentinel does not find the replica");
    }
    main.kill();
    while store.put("users:bob", "1".into(), None).await.is_err() {
        assert!(!late(), "the store does not find the new master");
    }
    let direct = redis(replica.url()).await;
    assert_eq!(direct.get("users:bob").await.unwrap(), Some("1".into()));
    assert_eq!(store.get("users:bob").await.unwrap(), Some("1".into()));
}

#[tokio::test]
async fn a_service_that_the_sentinel_does_not_know_is_told_and_one_sentinel_is_enough() {
    let main = servers::Redis::start();
    let sentinel = Sentinel::of(&main);
    drop(sentinel.store().await);
    let unknown = sentinel.url().replace("/main", "/other");
    let error = larder_redis::Redis::connect(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("know no such service"), "{error}");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = mute.local_addr().unwrap().port();
    let url =
        format!("redis+sentinel://127.0.0.1:{nobody},127.0.0.1:{mute},127.0.0.1:{}/main", sentinel.port);
    redis(&url).await.put("users:ada", "1".into(), None).await.unwrap();
}
