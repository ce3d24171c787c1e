//! Purging frees what has expired and nothing else.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
}

use larder_core::{ByteStore, Clock, Put, SystemClock};
use larder_postgres::{Postgres, RowsPurged};
use larder_testkit::{MockClock, servers};
use std::time::{Duration, SystemTime};
use support::admin::Admin;

const SECOND: Duration = Duration::from_secs(1);

async fn put_many(store: &Postgres, rows: usize, expires_at: Option<SystemTime>) {
    let keys: Vec<String> = (0..rows).map(|number| format!("users{}:{number}", number % 3)).collect();
    let puts: Vec<_> = keys.iter().map(|key| Put { key, bytes: "1815".into(), expires_at }).collect();
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn what_has_expired_by_the_clock_is_removed_in_all_namespaces() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let clock = MockClock::new();
    put_many(&store, 1_234, Some(clock.wall() + SECOND)).await;
    for (key, deadline) in [("users:ada", None), ("users:bob", Some(clock.wall() + 2 * SECOND))] {
        store.put(key, "1816".into(), deadline).await.unwrap();
    }

    clock.advance(SECOND - Duration::from_millis(1));
    assert_eq!(store.purge_expired(&clock).await.unwrap(), RowsPurged::default());
    clock.advance(Duration::from_millis(1));
    let purged = store.purge_expired(&clock).await.unwrap();
    assert_eq!((purged.removed, purged.guards), (1_234, 0));
    assert_eq!(store.purge_expired(&clock).await.unwrap().removed, 0);
    assert!(
        store.get("users:ada").await.unwrap().is_some() && store.get("users:bob").await.unwrap().is_some()
    );
}

#[tokio::test]
async fn guards_are_counted_for_themselves() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    for number in 0..3 {
        store.get_with_token(&format!("users:{number}"), Duration::ZERO).await.unwrap();
    }
    store.get_with_token("users:ada", Duration::from_secs(3600)).await.unwrap();
    store.put("users:bob", "1815".into(), Some(SystemTime::UNIX_EPOCH)).await.unwrap();

    let purged = store.purge_expired(&SystemClock).await.unwrap();
    assert_eq!((purged.removed, purged.guards), (1, 3));
}

#[tokio::test]
async fn a_row_that_is_written_at_the_moment_is_passed_over() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    put_many(&store, 3, Some(SystemTime::UNIX_EPOCH)).await;
    let mut admin = Admin::connect(&url).await;
    let transaction = admin.0.transaction().await.unwrap();
    transaction
        .batch_execute("UPDATE larder SET expires_at = NULL WHERE namespace = 'users1'")
        .await
        .unwrap();

    assert_eq!(store.purge_expired(&SystemClock).await.unwrap().removed, 2);
    transaction.commit().await.unwrap();
    assert_eq!(store.purge_expired(&SystemClock).await.unwrap().removed, 0);
    assert_eq!(store.get("users1:1").await.unwrap(), Some("1815".into()));
}

#[tokio::test]
async fn two_who_purge_share_the_work() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    put_many(&store, 4_000, Some(SystemTime::UNIX_EPOCH)).await;
    let (one, two) = tokio::join!(store.purge_expired(&SystemClock), store.purge_expired(&SystemClock));
    assert_eq!(one.unwrap().removed + two.unwrap().removed, 4_000);
    assert_eq!(Admin::connect(&url).await.number("SELECT count(*) FROM larder").await, 0);
}

#[tokio::test]
async fn a_purge_that_was_dropped_is_taken_up_by_the_next() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    put_many(&store, 2_000, Some(SystemTime::UNIX_EPOCH)).await;
    let purge = tokio::spawn({
        let store = store.clone();
        async move { store.purge_expired(&SystemClock).await }
    });
    let admin = Admin::connect(&url).await;
    while admin.number("SELECT count(*) FROM larder").await == 2_000 {
        tokio::task::yield_now().await;
    }
    purge.abort();
    let before = purge.await;

    let rest = store.purge_expired(&SystemClock).await.unwrap().removed;
    assert!(rest <= 1_500 || before.is_ok(), "{rest}");
    assert_eq!(admin.number("SELECT count(*) FROM larder").await, 0);
}
