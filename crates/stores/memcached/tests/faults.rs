//! A server that hangs, goes away and comes back, and callers that go away.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod relay;
    pub(crate) mod task;
}

use bytes::Bytes;
use larder_core::{ByteStore, Clock, ErrorKind, Put, Result, SystemClock, Token};
use larder_memcached::Memcached;
use larder_testkit::{Proxy, servers};
use std::future::Future;
use std::time::Duration;
use support::relay::Relay;
use support::task::cancel_after;

const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_millis(200);

/// Checks that a call fails by its time-out, and no later than 50 ms behind. On a machine with too much to do, one of
/// three does.
async fn times_out<T, C: Future<Output = Result<T>>>(what: &str, call: impl Fn() -> C) {
    let mut took = Duration::ZERO;
    for _ in 0..3 {
        let start = SystemClock.now_exact();
        let Err(error) = call().await else { panic!("{what} has an answer") };
        took = SystemClock.now_exact().since(start);
        assert_eq!(error.kind(), ErrorKind::Timeout, "{what}: {error}");
        assert!(took >= LIMIT, "{what} took {took:?}");
        if took <= LIMIT + Duration::from_millis(50) {
            return;
        }
    }
    panic!("{what} took {took:?}");
}

async fn all_time_out(store: &Memcached) {
    let token = Token::new(vec![7; 16]);
    let put = [Put { key: "users:ada", bytes: "1815".into(), expires_at: None }];
    times_out("get", || store.get("users:ada")).await;
    times_out("put", || store.put("users:ada", "1815".into(), None)).await;
    times_out("remove", || store.remove("users:bob")).await;
    times_out("get_many", async || store.get_many(&["users:ada"]).await.remove(0)).await;
    times_out("put_many", async || store.put_many(&put).await.remove(0)).await;
    times_out("remove_many", async || store.remove_many(&["users:cat"]).await.remove(0)).await;
    times_out("get_with_token", || store.get_with_token("users:ada", HOUR)).await;
    times_out("guard", || store.guard("users:dan", HOUR)).await;
    times_out("put_if", || store.put_if("users:ada", &token, "1815".into(), None)).await;
    times_out("clear", || store.clear("users:")).await;
}

#[tokio::test]
async fn every_call_to_a_server_that_hangs_ends_in_time_and_the_next_finds_it_well() {
    let server = servers::Memcached::start();
    let options = Memcached::options().response_timeout(LIMIT).max_connections(3);
    let store = options.clone().connect(server.url()).await.unwrap();
    for _ in 0..2 {
        server.pause();
        all_time_out(&store).await;
        server.resume();
        store.put("users:ada", "1816".into(), None).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1816".into()));
    }
    let never_connected = options.lazy(server.url()).unwrap();
    server.pause();
    all_time_out(&never_connected).await;
    times_out("connect", || Memcached::options().connect_timeout(LIMIT).connect(server.url())).await;
    server.resume();
}

#[tokio::test]
async fn a_server_that_was_killed_and_started_again_is_found_by_the_next_call() {
    let server = servers::Memcached::start();
    let store = Memcached::options().max_connections(4).connect(server.url()).await.unwrap();
    let get = || store.get("users:ada");
    for round in 0..4 {
        store.put("users:ada", "1815".into(), None).await.unwrap();
        // All four connections are open.
        let (a, b, c, d) = tokio::join!(get(), get(), get(), get());
        assert!([a, b, c, d].iter().all(Result::is_ok));

        server.kill();
        if round == 1 {
            let error = get().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(error.to_string().contains("no connection to memcached at 127.0.0.1:"), "{error}");
        }
        server.restart();
        match round {
            2 => store.put("users:ada", "1816".into(), None).await.unwrap(),
            _ => assert_eq!(get().await.unwrap(), None),
        }
    }
}

#[tokio::test]
async fn a_service_starts_while_its_cache_is_down() {
    let server = servers::Memcached::start();
    server.kill();
    assert_eq!(Memcached::connect(server.url()).await.unwrap_err().kind(), ErrorKind::Store);
    let store = Memcached::options().lazy(server.url()).unwrap();
    assert_eq!(store.get("users:ada").await.unwrap_err().kind(), ErrorKind::Store);

    server.restart();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
}

/// Each of them would cost a call its time.
#[tokio::test]
async fn connections_that_are_as_silent_as_the_one_that_timed_out_are_given_up_with_it() {
    let server = servers::Memcached::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let options = Memcached::options().response_timeout(LIMIT).max_connections(4);
    let store = options.connect(&proxy.url(server.url())).await.unwrap();
    let get = || store.get("users:ada");
    let (a, b, c, d) = tokio::join!(get(), get(), get(), get());
    assert!([a, b, c, d].iter().all(Result::is_ok));
    assert_eq!(proxy.open_connections(), 4);

    proxy.blackhole();
    let start = SystemClock.now_exact();
    while SystemClock.now_exact().since(start) < LIMIT {
        tokio::task::yield_now().await;
    }
    times_out("the first", get).await;
    assert_eq!(proxy.connections(), 4);
    times_out("the second", get).await;
    assert_eq!(proxy.connections(), 5, "it tries a new one, which might be answered");
    proxy.heal();
    assert_eq!(get().await.unwrap(), None);
}

#[tokio::test]
async fn a_connection_that_takes_longer_than_a_call_is_there_for_a_later_one() {
    let server = servers::Memcached::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Memcached::options().response_timeout(LIMIT).max_connections(1);
    let store = store.lazy(&proxy.url(server.url())).unwrap();
    proxy.hold();
    times_out("the first", || store.get("users:ada")).await;
    proxy.heal();
    assert_eq!(store.get("users:ada").await.unwrap(), None);
    assert_eq!(proxy.connections(), 1);
}

/// Each is in time, and both together are not.
#[tokio::test]
async fn to_connect_and_to_ask_may_take_longer_than_a_call() {
    let server = servers::Memcached::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    proxy.delay(Duration::from_millis(150));
    let options = Memcached::options().response_timeout(Duration::from_millis(500)).max_connections(1);
    let store = options.lazy(&proxy.url(server.url())).unwrap();
    let mut late = 0;
    while let Err(error) = store.get("users:ada").await {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        late += 1;
        assert!(late < 10, "there is never an answer");
    }
    assert!(late > 0, "a connection and an answer take 600 ms");
    assert_eq!(proxy.connections(), 1, "the one that was asked too late is kept");
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_never_half_a_value() {
    let server = servers::Memcached::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Memcached::options().max_connections(2).connect(&proxy.url(server.url())).await.unwrap();
    let bytes: Bytes = (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    store.put("users:ada", bytes.clone(), None).await.unwrap();

    let (mut whole, mut failed) = (0, 0);
    for after in (0..40).chain([1_000, 50_000, 99_990, 100_040, 100_060, 200_000]) {
        for request in [true, false] {
            if request {
                proxy.cut_requests_after(after);
            } else {
                proxy.cut_answers_after(after);
            }
            match store.get("users:ada").await {
                Ok(found) => {
                    assert_eq!(found, Some(bytes.clone()));
                    whole += 1;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Store, "{error}");
                    failed += 1;
                }
            }
            proxy.heal();
            assert_eq!(store.get("users:ada").await.unwrap(), Some(bytes.clone()), "{after}");
        }
    }
    assert!(whole > 0 && failed > 20, "{whole} whole, {failed} failed");
}

#[tokio::test]
async fn a_put_that_is_cut_in_the_middle_leaves_the_old_value_the_new_one_or_none() {
    let server = servers::Memcached::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Memcached::options().max_connections(2).connect(&proxy.url(server.url())).await.unwrap();
    let (old, new) = (Bytes::from(vec![1; 50_000]), Bytes::from(vec![2; 50_000]));
    for after in [0, 1, 10, 20, 40, 1_000, 49_990, 50_050, 50_080, 50_100] {
        store.put("users:ada", old.clone(), None).await.unwrap();
        proxy.cut_requests_after(after);
        let put = store.put("users:ada", new.clone(), None).await;
        proxy.heal();
        let found = store.get("users:ada").await.unwrap();
        match put {
            Ok(()) => assert_eq!(found, Some(new.clone())),
            Err(_) => assert!(
                found.is_none() || found == Some(old.clone()) || found == Some(new.clone()),
                "{after}"
            ),
        }
    }
}

#[tokio::test]
async fn calls_that_are_dropped_cost_no_connection_and_spoil_none() {
    let server = servers::Memcached::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Memcached::options().max_connections(2).connect(&proxy.url(server.url())).await.unwrap();
    for number in 0..20 {
        store.put(&format!("users:{number}"), format!("{number}").into(), None).await.unwrap();
    }
    let (one, two) = tokio::join!(store.get("users:0"), store.get("users:1"));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(proxy.connections(), 2);

    let mut dropped = 0;
    for round in 0..300 {
        let (key, other) = (format!("users:{}", round % 20), format!("users:{}", (round + 7) % 20));
        dropped += usize::from(cancel_after(round % 4, store.get(&key)).await.is_none());
        dropped += usize::from(cancel_after(round % 5, store.get_with_token(&key, HOUR)).await.is_none());
        let found = store.get(&other).await.unwrap();
        assert_eq!(found, Some(format!("{}", (round + 7) % 20).into()));
    }
    assert!(dropped > 50, "{dropped}");
    assert_eq!(proxy.connections(), 2, "the same connections serve on");
}

/// What the first put was sent on is held back, so that the second would overtake it.
#[tokio::test]
async fn a_write_that_was_dropped_does_not_overtake_one_that_was_called_later() {
    let server = servers::Memcached::start();
    for event in ["put", "put_many", "remove", "remove_many", "guard", "clear"] {
        let relay = Relay::start(server.port(), "the old value");
        let options = Memcached::options().response_timeout(Duration::from_secs(60)).max_connections(2);
        let store = options.connect(&relay.url).await.unwrap();
        store.put("users:ada", "the oldest".into(), None).await.unwrap();
        assert!(cancel_after(20, store.put("users:ada", "the old value".into(), None)).await.is_none());
        let later = tokio::spawn({
            let store = store.clone();
            async move {
                let puts = [Put { key: "users:ada", bytes: "new".into(), expires_at: None }];
                match event {
                    "put" => store.put("users:ada", "new".into(), None).await,
                    "put_many" => store.put_many(&puts).await.remove(0),
                    "remove" => store.remove("users:ada").await,
                    "remove_many" => store.remove_many(&["users:ada"]).await.remove(0),
                    "guard" => store.guard("users:ada", HOUR).await.map(drop),
                    _ => store.clear("users:").await.map(drop),
                }
            }
        });
        // Time enough for the later one, if it does not wait.
        for number in 0..50 {
            store.put(&format!("others:{number}"), "1815".into(), None).await.unwrap();
        }
        relay.open();
        later.await.unwrap().unwrap();
        for _ in 0..50 {
            store.put("others:bob", "1815".into(), None).await.unwrap();
        }
        let expected: Option<Bytes> = event.starts_with("put").then(|| "new".into());
        assert_eq!(store.get("users:ada").await.unwrap(), expected, "{event}");
    }
}
