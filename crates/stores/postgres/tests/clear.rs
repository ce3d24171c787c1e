//! Clearing removes the rows of one namespace and nothing else.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
}

use larder_core::{ByteStore, Cleared, Put};
use larder_postgres::Postgres;
use larder_testkit::servers;
use support::admin::Admin;

#[tokio::test]
async fn no_other_namespace_is_touched() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let (long, longer) = ("x".repeat(5_000), "x".repeat(5_001));
    let namespaces =
        ["users", "user", "users2", "Users", "", "#", "ä", "users\0", "%", "users/ada", &long, &longer];
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

/// More than one statement removes.
#[tokio::test]
async fn many_rows_are_cleared() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    for rows in [499, 500, 501, 2_345] {
        let keys: Vec<String> = (0..rows).map(|number| format!("users:{number}")).collect();
        let puts: Vec<_> =
            keys.iter().map(|key| Put { key, bytes: "1815".into(), expires_at: None }).collect();
        assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
        assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
        assert_eq!(Admin::connect(&url).await.number("SELECT count(*) FROM larder").await, 0);
    }
}

#[tokio::test]
async fn a_row_that_is_written_at_the_moment_is_waited_for_and_goes() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    for key in ["users:ada", "users:bob", "users:cat"] {
        store.put(key, "1815".into(), None).await.unwrap();
    }
    let mut admin = Admin::connect(&url).await;
    let transaction = admin.0.transaction().await.unwrap();
    transaction.batch_execute("UPDATE larder SET value = '1816', token = '\\x01'").await.unwrap();

    let clear = tokio::spawn({
        let store = store.clone();
        async move { store.clear("users:").await }
    });
    let other = Admin::connect(&url).await;
    other.wait_for_lock_waiters(1).await;
    transaction.commit().await.unwrap();
    assert_eq!(clear.await.unwrap().unwrap(), Cleared::Done);
    assert_eq!(other.number("SELECT count(*) FROM larder").await, 0);
}

#[tokio::test]
async fn removing_many_waits_for_a_row_that_is_written_too() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    for key in ["users:ada", "users:bob"] {
        store.put(key, "1815".into(), None).await.unwrap();
    }
    let mut admin = Admin::connect(&url).await;
    let transaction = admin.0.transaction().await.unwrap();
    transaction.batch_execute("UPDATE larder SET value = '1816', token = '\\x01'").await.unwrap();

    let remove = tokio::spawn({
        let store = store.clone();
        async move { store.remove_many(&["users:bob", "users:ada"]).await }
    });
    let other = Admin::connect(&url).await;
    other.wait_for_lock_waiters(1).await;
    transaction.commit().await.unwrap();
    assert!(remove.await.unwrap().iter().all(Result::is_ok));
    assert_eq!(other.number("SELECT count(*) FROM larder").await, 0);
}
