//! Compare-and-set between stores that know nothing of each other.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
}

use larder_core::{ByteStore, Clock, PutIf, SystemClock};
use larder_postgres::Postgres;
use larder_testkit::servers;
use std::collections::HashSet;
use std::time::Duration;
use support::admin::Admin;

const HOUR: Duration = Duration::from_secs(3600);
const KEY: &str = "users:ada";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_find_nothing_all_have_one_guard_and_one_puts() {
    let url = servers::Postgres::shared().database();
    for round in 0..20 {
        let tasks: Vec<_> = (0..8)
            .map(|number: u8| {
                let url = url.clone();
                tokio::spawn(async move {
                    let store = Postgres::options().max_connections(1).connect(&url).await.unwrap();
                    let key = format!("users:{round}");
                    let record = store.get_with_token(&key, HOUR).await.unwrap();
                    let token = record.token.unwrap();
                    let put = store.put_if(&key, &token, vec![number].into(), None).await.unwrap();
                    (record.bytes, token.as_bytes().to_vec(), put)
                })
            })
            .collect();

        let mut done = 0;
        let mut guards = HashSet::new();
        for task in tasks {
            let (found, token, put) = task.await.unwrap();
            done += usize::from(put == PutIf::Done);
            if found.is_none() {
                guards.insert(token);
            }
        }
        // Whoever came after the put saw a value, and may have replaced it.
        assert!(done >= 1 && guards.len() == 1, "{done} puts, {} guards", guards.len());
    }
}

#[tokio::test]
async fn a_put_that_comes_while_a_guard_is_planted_is_what_is_found() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let mut admin = Admin::connect(&url).await;

    // A row that is there and that no statement sees yet.
    let transaction = admin.0.transaction().await.unwrap();
    let sql = "INSERT INTO larder (namespace, key, value, token) \
               VALUES ('users', '\\x118bf66e0e9ceff1967017b7d485751e', '1815', '\\x07')";
    transaction.batch_execute(sql).await.unwrap();
    let reader = tokio::spawn({
        let store = store.clone();
        async move { store.get_with_token(KEY, HOUR).await.unwrap() }
    });
    Admin::connect(&url).await.wait_for_lock_waiters(1).await;
    transaction.commit().await.unwrap();

    let record = reader.await.unwrap();
    assert_eq!(record.bytes, Some("1815".into()));
    assert_eq!(record.token.unwrap().as_bytes(), [7]);
}

#[tokio::test]
async fn a_guard_lasts_as_long_as_asked_for_and_anew_with_each_who_asks() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let admin = Admin::connect(&url).await;
    let left = async || {
        let deadline: std::time::SystemTime =
            admin.0.query_one("SELECT expires_at FROM larder", &[]).await.unwrap().get(0);
        deadline.duration_since(SystemClock.wall()).unwrap_or_default()
    };

    let first = store.get_with_token(KEY, HOUR).await.unwrap().token;
    assert!(left().await <= HOUR && left().await > HOUR - Duration::from_secs(60));
    assert_eq!(store.get_with_token(KEY, 2 * HOUR).await.unwrap().token, first);
    assert!(left().await > HOUR);
    assert_eq!(store.get_with_token(KEY, HOUR).await.unwrap().token, first);
    assert!(left().await > HOUR, "who asks for less takes nothing from another");

    store.guard(KEY, HOUR).await.unwrap();
    assert!(left().await <= HOUR);
    store.guard(KEY, Duration::MAX).await.unwrap();
    assert!(left().await > 1_000_000 * HOUR);
}

#[tokio::test]
async fn what_has_expired_is_no_record() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let ended = SystemClock.wall() - Duration::from_millis(1);
    store.put(KEY, "1815".into(), Some(ended)).await.unwrap();

    let record = store.get_with_token(KEY, HOUR).await.unwrap();
    assert_eq!(record.bytes, None);
    assert_eq!(store.put_if(KEY, &record.token.unwrap(), "1816".into(), None).await.unwrap(), PutIf::Done);
    assert_eq!(store.get(KEY).await.unwrap(), Some("1816".into()));
}

#[tokio::test]
async fn a_guard_that_has_expired_and_was_purged_refuses() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let first = store.get_with_token(KEY, Duration::ZERO).await.unwrap().token.unwrap();
    assert_eq!(store.purge_expired(&SystemClock).await.unwrap().guards, 1);

    let second = store.get_with_token(KEY, HOUR).await.unwrap().token.unwrap();
    assert_ne!(first, second);
    assert_eq!(store.put_if(KEY, &first, "1815".into(), None).await.unwrap(), PutIf::Refused);
    assert_eq!(store.put_if(KEY, &second, "1816".into(), None).await.unwrap(), PutIf::Done);
}

#[tokio::test]
async fn reading_a_live_value_with_its_token_writes_nothing() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let admin = Admin::connect(&url).await;
    store.put(KEY, "1815".into(), Some(SystemClock.wall() + HOUR)).await.unwrap();
    let version = "SELECT xmin::text || ctid::text FROM larder";
    let before = admin.text(version).await;

    assert_eq!(store.get_with_token(KEY, HOUR).await.unwrap().bytes, Some("1815".into()));
    assert_eq!(admin.text(version).await, before);
}

#[tokio::test]
async fn a_token_that_is_none_of_ours_is_refused() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    store.put(KEY, "1815".into(), None).await.unwrap();
    for token in [b"".as_slice(), b"x", &[0; 1_000]] {
        let token = larder_core::Token::new(token.to_vec());
        assert_eq!(store.put_if(KEY, &token, "1816".into(), None).await.unwrap(), PutIf::Refused);
    }
    assert_eq!(store.get(KEY).await.unwrap(), Some("1815".into()));
}
