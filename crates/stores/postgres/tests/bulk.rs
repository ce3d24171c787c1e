//! Many keys in one statement.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
}

use bytes::Bytes;
use larder_core::{ByteStore, Clock, Put, SystemClock};
use larder_postgres::Postgres;
use larder_testkit::servers;
use std::time::Duration;
use support::admin::Admin;

/// How many statements the server has run on `larder` since this was asked last.
async fn statements(server: &servers::Postgres, admin: &Admin, seen: &mut usize) -> usize {
    // What was run before this is in the log before this.
    let mark = format!("seen {seen} at {:?}", SystemClock.now_exact());
    admin.run(&format!("SELECT '{mark}'")).await;
    server.wait_for_log(&mark);
    let all =
        server.log().lines().filter(|line| line.contains("execute s") && line.contains("larder")).count();
    all - std::mem::replace(seen, all)
}

#[tokio::test]
async fn each_call_is_one_statement() {
    let server = servers::Postgres::start();
    Admin::connect(server.url()).await.run("ALTER DATABASE postgres SET log_statement = 'all'").await;
    let admin = Admin::connect(server.url()).await;
    let store = Postgres::options().max_connections(1).connect(server.url()).await.unwrap();
    let keys: Vec<String> = (0..1_000).map(|number| format!("users:{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let puts: Vec<_> = keys.iter().map(|key| Put { key, bytes: "1815".into(), expires_at: None }).collect();
    let hour = Duration::from_secs(3600);
    let mut seen = 0;
    statements(&server, &admin, &mut seen).await;

    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "put_many");
    assert!(store.get_many(&keys).await.into_iter().all(|found| found.unwrap().is_some()));
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "get_many");
    assert!(store.remove_many(&keys).await.iter().all(Result::is_ok));
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "remove_many");
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "put");
    store.get("users:ada").await.unwrap();
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "get");
    let token = store.get_with_token("users:bob", hour).await.unwrap().token.unwrap();
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "get_with_token");
    let _ = store.put_if("users:bob", &token, "1816".into(), None).await.unwrap();
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "put_if");
    store.guard("users:bob", hour).await.unwrap();
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "guard");
    store.remove("users:bob").await.unwrap();
    assert_eq!(statements(&server, &admin, &mut seen).await, 1, "remove");
    assert_eq!(admin.number("SELECT count(*) FROM larder").await, 1);
}

#[tokio::test]
async fn of_two_puts_for_one_key_the_later_counts() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let put = |key, bytes: &'static str| Put { key, bytes: bytes.into(), expires_at: None };
    let puts = [
        put("users:b", "1"),
        put("users:a", "2"),
        put("users:b", "3"),
        put("users:a", "4"),
        put("users:b", "5"),
    ];
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    let found: Vec<_> =
        store.get_many(&["users:a", "users:b", "users:a"]).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(found, [Some("4".into()), Some("5".into()), Some("4".into())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_many_keys_do_not_block_each_other_for_good() {
    let url = servers::Postgres::shared().database();
    let name = url.rsplit('/').next().unwrap();
    // The planner may take the rows in any order; so it does not take the one that would be right by chance.
    let plan = format!("ALTER DATABASE {name} SET enable_nestloop = off");
    Admin::connect(&url).await.run(&plan).await;
    let keys: Vec<String> = (0..100).map(|number| format!("users:{number}")).collect();
    let tasks: Vec<_> = (0..6)
        .map(|number: usize| {
            let (url, mut keys) = (url.clone(), keys.clone());
            tokio::spawn(async move {
                // Each in another order.
                keys.rotate_left(number * 17);
                if number.is_multiple_of(2) {
                    keys.reverse();
                }
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let store = Postgres::options().max_connections(1).response_timeout(Duration::from_secs(30));
                let store = store.connect(&url).await.unwrap();
                for _ in 0..20 {
                    let bytes = Bytes::from(vec![0; 100]);
                    let puts: Vec<_> =
                        keys.iter().map(|key| Put { key, bytes: bytes.clone(), expires_at: None }).collect();
                    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
                    assert!(store.remove_many(&keys).await.iter().all(Result::is_ok));
                    let _ = store.clear("users:").await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let admin = Admin::connect(&url).await;
    admin.run("SELECT pg_stat_clear_snapshot()").await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(admin.number(deadlocks).await, 0);
}

#[tokio::test]
async fn what_is_too_much_for_one_statement_is_several() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().response_timeout(Duration::from_secs(30)).connect(&url).await.unwrap();
    let keys: Vec<String> = (0..9).map(|number| format!("users:{number}")).collect();
    let bytes = Bytes::from(vec![7; 9 << 20]);
    let puts: Vec<_> = keys.iter().map(|key| Put { key, bytes: bytes.clone(), expires_at: None }).collect();
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    let tokens = Admin::connect(&url).await.number("SELECT count(DISTINCT xmin::text) FROM larder").await;
    assert_eq!(tokens, 3, "of 9 MiB each, four make a statement");
}
