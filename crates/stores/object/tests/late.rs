//! Calls that get no answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod spy;
}

use larder_core::{ByteStore, Error, ErrorKind, Put, Token};
use larder_object::Object;
use larder_testkit::{MockClock, settle};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use support::spy::Spy;

const SECOND: Duration = Duration::from_secs(1);

async fn ends_after_five_seconds<T: Send + 'static>(
    name: &str,
    clock: &MockClock,
    call: impl Future<Output = Result<T, Error>> + Send + 'static,
) {
    let call = tokio::spawn(call);
    settle().await;
    clock.advance(5 * SECOND - Duration::from_millis(1));
    settle().await;
    assert!(!call.is_finished(), "{name} gave up too early");
    clock.advance(Duration::from_millis(1));
    settle().await;
    assert!(call.is_finished(), "{name} goes on");
    let error = call.await.unwrap().err().unwrap_or_else(|| panic!("{name} has an answer"));
    assert_eq!(error.kind(), ErrorKind::Timeout, "{name}");
    assert!(error.to_string().contains("within 5s; `.timeout(span)` allows more"), "{error}");
}

#[tokio::test]
async fn each_call_ends_when_its_time_is_over() {
    let (spy, clock) = (Spy::new(), MockClock::new());
    let store = Object::from_store(Arc::new(spy.clone()))
        .compare_and_set(true)
        .timeout(5 * SECOND)
        .clock(clock.clone());
    let token: Token = store.get_with_token("users:ada", SECOND).await.unwrap().token.unwrap();
    spy.counts.is_stuck.store(true, SeqCst);

    macro_rules! ends {
        ($name:literal, |$store:ident| $call:expr) => {{
            let $store = store.clone();
            ends_after_five_seconds($name, &clock, async move { $call }).await;
        }};
    }
    ends!("get", |store| store.get("users:ada").await);
    ends!("put", |store| store.put("users:ada", "x".into(), None).await);
    ends!("remove", |store| store.remove("users:ada").await);
    ends!("get_with_token", |store| store.get_with_token("users:ada", SECOND).await);
    ends!("guard", |store| store.guard("users:ada", SECOND).await);
    ends!("put_if", |store| store.put_if("users:ada", &token, "x".into(), None).await);
    ends!("check", |store| store.check().await);
    ends!("get_many", |store| store.get_many(&["users:ada", "users:bob"]).await.pop().unwrap());
    ends!("remove_many", |store| store.remove_many(&["users:ada", "users:bob"]).await.pop().unwrap());
    ends!("put_many", |store| {
        let put = Put { key: "users:ada", bytes: "x".into(), expires_at: None };
        store.put_many(&[put]).await.pop().unwrap()
    });
}

#[tokio::test]
async fn without_a_time_out_a_call_waits() {
    let (spy, clock) = (Spy::new(), MockClock::new());
    let store = Object::from_store(Arc::new(spy.clone())).clock(clock.clone());
    spy.counts.is_stuck.store(true, SeqCst);
    let call = tokio::spawn(async move { store.get("users:ada").await });
    settle().await;
    clock.advance(3_600 * SECOND);
    settle().await;
    assert!(!call.is_finished());
    call.abort();
}
