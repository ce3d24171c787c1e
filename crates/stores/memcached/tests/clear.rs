//! Clearing ends the generation of one namespace, for everyone and at once.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod raw;
}

use larder_core::{ByteStore, Cleared, ErrorKind, Put, PutIf};
use larder_memcached::Memcached;
use larder_testkit::servers;
use std::time::Duration;
use support::raw::Raw;

const HOUR: Duration = Duration::from_secs(3600);
/// The item that has the generation of `users`.
const USERS: &str = "larder@eca9002b3d190f090d311dec7d78e493";

async fn store(server: &servers::Memcached) -> Memcached {
    Memcached::connect(server.url()).await.unwrap()
}

#[tokio::test]
async fn no_other_namespace_is_touched() {
    let server = servers::Memcached::start();
    let store = store(&server).await;
    let (long, longer) = ("x".repeat(5_000), "x".repeat(5_001));
    let namespaces =
        ["users", "user", "users2", "Users", "", "#", "ä", "users\0", "users/ada", &long, &longer];
    let keys: Vec<String> = namespaces.iter().map(|namespace| format!("{namespace}:ada")).collect();
    for (cleared, namespace) in namespaces.iter().enumerate() {
        for key in keys.iter().map(String::as_str).chain(["ada"]) {
            store.put(key, "1815".into(), None).await.unwrap();
        }
        assert_eq!(store.clear(&format!("{namespace}:")).await.unwrap(), Cleared::Done);
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(store.get(key).await.unwrap().is_none(), number == cleared, "{key:.40?}");
        }
        assert!(store.get("ada").await.unwrap().is_some(), "what has no namespace is in none");
    }
    assert_eq!(store.clear("users").await.unwrap(), Cleared::Unsupported);
    assert_eq!(store.clear("users:a:").await.unwrap(), Cleared::Unsupported);
}

#[tokio::test]
async fn what_others_share_the_server_for_is_left_alone() {
    let server = servers::Memcached::start();
    let mut raw = Raw::connect(&server);
    assert_eq!(raw.ask("set theirs 7 0 5\r\nvalue"), "STORED");
    let store = store(&server).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();

    assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
    assert_eq!(raw.item("theirs").unwrap(), b"value");
    assert_eq!(raw.statistic("cmd_flush"), 0);
}

/// As many processes as stores: each has connections and memories of its own.
#[tokio::test]
async fn every_store_sees_a_clear_with_its_next_get_and_writes_behind_it() {
    let server = servers::Memcached::start();
    let (one, two) = (store(&server).await, store(&server).await);
    for round in 0..3 {
        one.put("users:ada", "1815".into(), None).await.unwrap();
        assert_eq!(two.get("users:ada").await.unwrap(), Some("1815".into()));
        assert_eq!(one.clear("users:").await.unwrap(), Cleared::Done);
        assert_eq!(two.get("users:ada").await.unwrap(), None, "{round}");
        assert_eq!(two.get_many(&["users:ada"]).await.remove(0).unwrap(), None);
        assert_eq!(two.get_with_token("users:ada", HOUR).await.unwrap().bytes, None);

        // Whoever remembers the old generation.
        assert_eq!(one.clear("users:").await.unwrap(), Cleared::Done);
        two.put("users:bob", "1816".into(), None).await.unwrap();
        assert_eq!(one.get("users:bob").await.unwrap(), Some("1816".into()));
        assert_eq!(one.clear("users:").await.unwrap(), Cleared::Done);
        let put = |key, bytes: &'static str| Put { key, bytes: bytes.into(), expires_at: None };
        let puts = [put("users:cat", "1"), put("users:dan", "2"), put("users:cat", "3")];
        assert!(two.put_many(&puts).await.iter().all(Result::is_ok));
        assert_eq!(one.get("users:cat").await.unwrap(), Some("3".into()));
        assert_eq!(one.get("users:dan").await.unwrap(), Some("2".into()));
        assert_eq!(one.clear("users:").await.unwrap(), Cleared::Done);
        let token = two.guard("users:eve", HOUR).await.unwrap().unwrap();
        assert_eq!(one.put_if("users:eve", &token, "1817".into(), None).await.unwrap(), PutIf::Done);
        assert_eq!(two.get("users:eve").await.unwrap(), Some("1817".into()));
    }
}

#[tokio::test]
async fn a_generation_that_was_evicted_brings_nothing_back() {
    let server = servers::Memcached::start();
    let store = store(&server).await;
    let mut raw = Raw::connect(&server);
    store.put("users:ada", "cleared".into(), None).await.unwrap();
    assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
    store.put("users:bob", "1816".into(), None).await.unwrap();
    let token = store.get_with_token("users:bob", HOUR).await.unwrap().token.unwrap();

    for lost in ["md", "ms garbage"] {
        let command = match lost {
            "md" => format!("md {USERS}"),
            _ => format!("ms {USERS} 3\r\nabc"),
        };
        assert_eq!(raw.ask(&command), "HD");
        assert_eq!(store.get("users:ada").await.unwrap(), None, "{lost}");
        assert_eq!(store.get("users:bob").await.unwrap(), None, "{lost}");
        assert_eq!(store.put_if("users:bob", &token, "old".into(), None).await.unwrap(), PutIf::Refused);
        let record = store.get_with_token("users:ada", HOUR).await.unwrap();
        assert_eq!(record.bytes, None, "{lost}");
        assert_eq!(
            store.put_if("users:ada", &record.token.unwrap(), "new".into(), None).await.unwrap(),
            PutIf::Done
        );
        assert_eq!(store.get("users:ada").await.unwrap(), Some("new".into()), "{lost}");
        assert_eq!(store.get("users:bob").await.unwrap(), None, "{lost}");

        assert!(raw.ask(&format!("md {USERS}")).starts_with("HD"));
        store.put("users:cat", "new".into(), None).await.unwrap();
        assert_eq!(store.get("users:cat").await.unwrap(), Some("new".into()), "{lost}");
        assert_eq!(store.get("users:ada").await.unwrap(), None, "{lost}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_begin_a_generation_agree_on_one() {
    let server = servers::Memcached::start();
    for round in 0..10 {
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let url = server.url().to_owned();
                tokio::spawn(async move {
                    let store = Memcached::options().max_connections(1).connect(&url).await.unwrap();
                    let key = format!("round{round}:{number}");
                    store.put(&key, "1815".into(), None).await.unwrap();
                    (store, key)
                })
            })
            .collect();
        for task in tasks {
            let (store, key) = task.await.unwrap();
            assert_eq!(store.get(&key).await.unwrap(), Some("1815".into()), "{key}");
        }
    }
}

#[tokio::test]
async fn all_servers_are_cleared_also_where_one_is_down() {
    let servers: Vec<_> = (0..3).map(|_| servers::Memcached::start()).collect();
    let addresses: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
    let store = Memcached::connect(&format!("memcached://{}", addresses.join(","))).await.unwrap();
    let keys: Vec<String> = (0..60).map(|number| format!("users:{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let puts: Vec<_> = keys.iter().map(|key| Put { key, bytes: "1815".into(), expires_at: None }).collect();
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    for server in &servers {
        assert!(Raw::connect(server).statistic("curr_items") > 5, "each has its share");
    }

    servers[0].kill();
    assert_eq!(store.clear("users:").await.unwrap_err().kind(), ErrorKind::Store);
    let found = store.get_many(&keys).await;
    let down = found.iter().filter(|found| found.is_err()).count();
    assert!(down > 5 && found.iter().filter(|found| matches!(found, Ok(None))).count() == 60 - down);
    servers[0].restart();
    assert!(store.get_many(&keys).await.into_iter().all(|found| found.unwrap().is_none()));
}
