//! How many requests each operation costs.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod spy;
}

use bytes::Bytes;
use larder_core::{ByteStore, Put, PutIf};
use larder_object::Object;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use support::spy::Spy;

const HOUR: Duration = Duration::from_secs(3600);

fn store() -> (Spy, Object) {
    let spy = Spy::new();
    let store = Object::from_store(Arc::new(spy.clone())).compare_and_set(true);
    (spy, store)
}

#[tokio::test]
async fn a_single_operation_is_one_request() {
    let (spy, store) = store();
    store.get("users:ada").await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    store.get("users:ada").await.unwrap();
    store.remove("users:ada").await.unwrap();
    store.guard("users:ada", HOUR).await.unwrap();
    assert_eq!(spy.take(), ["GET", "PUT 24", "GET", "DELETE", "PUT 28"]);
}

#[tokio::test]
async fn a_load_under_a_token_is_two_requests_where_there_is_a_value_and_three_where_there_is_none() {
    let (spy, store) = store();
    let record = store.get_with_token("users:ada", HOUR).await.unwrap();
    let put = store.put_if("users:ada", &record.token.unwrap(), "1815".into(), None).await.unwrap();
    assert_eq!(put, PutIf::Done);
    assert_eq!(spy.take(), ["GET", "PUT Create 28", "PUT Update 24"]);

    let record = store.get_with_token("users:ada", HOUR).await.unwrap();
    let put = store.put_if("users:ada", &record.token.unwrap(), "1816".into(), None).await.unwrap();
    assert_eq!(put, PutIf::Done);
    assert_eq!(spy.take(), ["GET", "PUT Update 24"]);
}

#[tokio::test]
async fn a_guard_that_is_there_costs_no_write() {
    let (spy, store) = store();
    store.get_with_token("users:ada", HOUR).await.unwrap();
    spy.take();
    for _ in 0..3 {
        store.get_with_token("users:ada", HOUR).await.unwrap();
    }
    assert_eq!(spy.take(), ["GET", "GET", "GET"]);
}

#[tokio::test]
async fn a_refused_put_costs_a_look_at_what_is_there() {
    let (spy, store) = store();
    let token = store.guard("users:ada", HOUR).await.unwrap().unwrap();
    store.put("users:ada", vec![0; 1_000].into(), None).await.unwrap();
    spy.take();
    assert_eq!(store.put_if("users:ada", &token, "x".into(), None).await.unwrap(), PutIf::Refused);
    let head = format!("GET 0..{}", 20 + larder_core::envelope::HEAD_BYTES);
    assert_eq!(spy.take(), ["PUT Update 21", "HEAD", &head], "of the object, only its head");
}

#[tokio::test]
async fn a_batch_is_one_request_for_each_distinct_key() {
    let (spy, store) = store();
    let put = |key, bytes: &'static [u8]| Put { key, bytes: Bytes::from_static(bytes), expires_at: None };
    let puts = [put("users:ada", b"old"), put("users:bob", b"1791"), put("users:ada", b"1815")];
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    assert_eq!(spy.take(), ["PUT 24", "PUT 24"], "the older of two is not written");

    let found = store.get_many(&["users:ada", "users:bob", "users:none", "users:ada"]).await;
    let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
    assert_eq!(found, [Some("1815".into()), Some("1791".into()), None, Some("1815".into())]);
    assert_eq!(spy.take(), ["GET", "GET", "GET"]);

    assert!(store.remove_many(&["users:ada", "users:ada", "users:bob"]).await.iter().all(Result::is_ok));
    assert_eq!(spy.take(), ["DELETE", "DELETE"]);
}

#[tokio::test]
async fn a_batch_works_on_as_many_keys_at_a_time_as_is_said() {
    let keys: Vec<String> = (0..100).map(|number| format!("users:{number}")).collect();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let puts: Vec<_> = names.iter().map(|key| Put { key, bytes: Bytes::new(), expires_at: None }).collect();
    for (said, most) in [(None, 16), (Some(5), 5), (Some(0), 1), (Some(1_000), 100)] {
        let (spy, store) = store();
        let store = match said {
            Some(keys) => store.concurrency(keys),
            None => store,
        };
        assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
        assert_eq!(spy.counts.most_busy.swap(0, SeqCst), most, "{said:?}");
        assert!(store.get_many(&names).await.iter().all(|found| matches!(found, Ok(Some(_)))));
        assert_eq!(spy.counts.most_busy.load(SeqCst), most, "{said:?}");
    }
}

#[tokio::test]
async fn one_key_that_fails_spoils_no_other() {
    let store = Object::in_memory().max_object_bytes(10);
    let put = |key, bytes: &'static [u8]| Put { key, bytes: Bytes::from_static(bytes), expires_at: None };
    let puts = [put("users:ada", b"1815"), put("users:bob", b"much too large"), put("users:eve", b"x")];
    let done: Vec<bool> = store.put_many(&puts).await.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, false, true]);
    assert_eq!(store.get("users:eve").await.unwrap(), Some("x".into()));
}

#[tokio::test]
async fn a_batch_that_fails_has_an_error_for_each_key() {
    let (spy, store) = store();
    spy.counts.broken.store(true, SeqCst);
    let keys = ["users:ada", "users:bob", "users:ada"];
    assert_eq!(store.get_many(&keys).await.iter().filter(|found| found.is_err()).count(), 3);
    assert_eq!(store.remove_many(&keys).await.iter().filter(|done| done.is_err()).count(), 3);
}

#[tokio::test]
async fn a_check_costs_six_requests_and_three_without_tokens() {
    let (spy, store) = store();
    store.check().await.unwrap();
    assert_eq!(
        spy.take(),
        ["PUT Create 28", "PUT Create 28", "PUT Update 28", "PUT Update 28", "GET", "DELETE"]
    );
    store.compare_and_set(false).check().await.unwrap();
    assert_eq!(spy.take(), ["PUT 28", "GET", "DELETE"]);
}
