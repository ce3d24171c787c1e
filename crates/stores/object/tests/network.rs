//! What the network does to requests, and what goes over it: with the server for GCS behind a proxy.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
}

use bytes::Bytes;
use larder_codecs::Json;
use larder_core::{ByteStore, Cache, ErrorKind, Event, PutIf};
use larder_object::{Object, ObjectOptions};
use larder_testkit::servers::Gcs;
use larder_testkit::{MockClock, Proxy, settle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use support::clock::HandClock;

const MINUTE: Duration = Duration::from_secs(60);

/// A store in a bucket of its own, and the proxy in front of it.
fn store() -> (Proxy, Object) {
    let gcs = Gcs::shared();
    let proxy = Proxy::to(("127.0.0.1", gcs.port()));
    let options = ObjectOptions::new()
        .without_environment()
        .with_endpoint(proxy.url(&gcs.url()))
        .with_bearer_token(Gcs::TOKEN)
        .with_allow_http(true);
    let store = options.build(&format!("gs://{}", gcs.bucket())).unwrap();
    (proxy, store)
}

fn value(byte: u8) -> Bytes {
    vec![byte; 200_000].into()
}

/// The driver asks for the rest, if it is of the same object. So it is the whole value or an error, never a part.
#[tokio::test]
async fn an_answer_that_is_cut_is_an_error_or_the_whole_value() {
    let (proxy, store) = store();
    store.put("users:ada", value(1), None).await.unwrap();
    let mut errors = 0;
    for bytes in [1, 50, 200, 1_000, 100_000, 200_000] {
        proxy.cut_answers_after(bytes);
        match store.get("users:ada").await {
            Ok(read) => assert_eq!(read, Some(value(1)), "cut after {bytes}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Store);
                errors += 1;
            }
        }
        proxy.heal();
        assert_eq!(store.get("users:ada").await.unwrap(), Some(value(1)), "{bytes}");
    }
    assert!(errors >= 2, "some were cut before anything of it came");
}

#[tokio::test]
async fn a_request_that_is_cut_leaves_the_old_value() {
    let (proxy, store) = store();
    store.put("users:ada", value(1), None).await.unwrap();
    for bytes in [1, 100, 1_000, 100_000] {
        proxy.cut_requests_after(bytes);
        assert_eq!(store.put("users:ada", value(2), None).await.unwrap_err().kind(), ErrorKind::Store);
        proxy.heal();
        assert_eq!(store.get("users:ada").await.unwrap(), Some(value(1)), "{bytes}");
    }
}

/// The server has written it, and nobody heard of that. The same put again finds its own work.
#[tokio::test]
async fn a_put_on_a_condition_whose_answer_is_lost_is_never_two() {
    let (proxy, store) = store();
    for _ in 0..3 {
        let token = store.guard("users:ada", MINUTE).await.unwrap().unwrap();
        proxy.cut_answers_after(1);
        let put = store.put_if("users:ada", &token, value(1), None).await;
        assert!(put.is_err() || put.as_ref().is_ok_and(|put| *put == PutIf::Done), "{put:?}");
        proxy.heal();
        let there = store.get("users:ada").await.unwrap();
        assert!(there.is_none() || there == Some(value(1)));
        if there.is_some() {
            let again = store.put_if("users:ada", &token, value(2), None).await.unwrap();
            assert_eq!(again, PutIf::Refused);
        }
    }
}

#[tokio::test]
async fn a_cloud_that_is_gone_breaks_no_load() {
    let (proxy, store) = store();
    let failures = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&failures);
    let users: Cache<str, u32, Object, Json> =
        Cache::new(store).codec(Json).observer(move |event: &Event<'_>| {
            if matches!(event, Event::LevelFailed { .. }) {
                counted.fetch_add(1, SeqCst);
            }
        });
    proxy.refuse();
    proxy.cut();
    let load = async || Ok::<_, std::convert::Infallible>(36);
    assert_eq!(users.get_or_load("ada", load).await.unwrap(), 36);
    assert!(failures.load(SeqCst) > 0);

    proxy.heal();
    users.insert("ada", 37).await.unwrap();
    assert_eq!(users.get("ada").await.unwrap(), Some(37));
}

#[tokio::test]
async fn a_cloud_that_hangs_is_given_up_after_ten_seconds_of_the_clock() {
    let (proxy, store) = store();
    let clock = MockClock::new();
    let store = store.clock(clock.clone());
    store.put("users:ada", value(1), None).await.unwrap();
    proxy.blackhole();
    let sent = proxy.bytes_to_server();
    let call = tokio::spawn({
        let store = store.clone();
        async move { store.get("users:ada").await }
    });
    while proxy.bytes_to_server() == sent {
        settle().await;
    }
    clock.advance(Duration::from_secs(10));
    assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    proxy.heal();
    assert_eq!(store.get("users:ada").await.unwrap(), Some(value(1)));
}

/// 30 reloads of one page of 200 kB, one each tenth of its life.
#[tokio::test]
async fn unchanged_values_do_not_go_over_the_network() {
    let (proxy, store) = store();
    let clock = HandClock::default();
    let mut sent = Vec::new();
    for store in [store.clone(), store.rewrite_after(0.5).unwrap().clock(clock.clone())] {
        let pages = Cache::new(store).codec(Json).ttl(MINUTE).clock(clock.clone());
        let before = proxy.bytes_to_server();
        for _ in 0..30 {
            pages.insert("ada", "x".repeat(200_000)).await.unwrap();
            clock.advance(MINUTE / 10);
        }
        sent.push(proxy.bytes_to_server() - before);
    }
    println!("{} bytes without, {} bytes with", sent[0], sent[1]);
    assert!(sent[0] > 30 * 200_000);
    assert!(sent[1] < 6 * 201_000, "{} bytes", sent[1]);
}

#[tokio::test]
async fn a_dead_value_does_not_come_over_the_network() {
    let (proxy, store) = store();
    let clock = HandClock::default();
    let pages = Cache::new(store.clone()).codec(Json).namespace("pages").ttl(MINUTE).clock(clock.clone());
    pages.insert("ada", "x".repeat(1_000_000)).await.unwrap();
    let store = store.head_first(16 << 10).clock(clock.clone());

    let before = proxy.bytes_to_client();
    assert!(store.get("pages:ada").await.unwrap().unwrap().len() > 1_000_000);
    assert!(proxy.bytes_to_client() - before > 1_000_000);

    clock.advance(MINUTE);
    let before = proxy.bytes_to_client();
    assert_eq!(store.get("pages:ada").await.unwrap(), None);
    let came = proxy.bytes_to_client() - before;
    println!("{came} bytes came");
    assert!(came < 18 << 10, "{came} bytes");
}
