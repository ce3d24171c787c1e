//! What a server and the way to it do wrong: no call hangs, and the store comes back by itself.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use bytes::Bytes;
use larder_core::{ByteStore, Cache, Clock, ErrorKind, PutIf, Result, SystemClock};
use larder_redis::Redis;
use larder_testkit::{Proxy, servers};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_millis(300);
/// Of many or large calls at the same time: what is promised beyond the time-out is 50 ms, the rest is for a busy machine.
const SLACK: Duration = Duration::from_millis(500);

async fn impatient(url: &str) -> Redis {
    Redis::options().response_timeout(TIMEOUT).connect_timeout(TIMEOUT).connect(url).await.unwrap()
}

async fn timed<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let begun = SystemClock.now_exact();
    let answer = call.await;
    (answer, SystemClock.now_exact().since(begun))
}

/// Asks until it is answered: a call that began before the server was back may fail, none after it takes long.
async fn until_back(store: &Redis) {
    let begun = SystemClock.now_exact();
    while store.get("users:none").await.is_err() {
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(20), "it does not come back");
    }
}

async fn all_kinds_of_calls(store: &Redis) -> Vec<(&'static str, Result<()>, Duration)> {
    let mut calls = Vec::new();
    let mut note = |name, (outcome, time): (Result<()>, Duration)| calls.push((name, outcome, time));
    let token = larder_core::Token::new(&b"0123456789abcdef"[..]);
    note("get", timed(async { store.get("users:a").await.map(drop) }).await);
    note("put", timed(store.put("users:a", "1".into(), None)).await);
    note("remove", timed(store.remove("users:a")).await);
    note(
        "get_many",
        timed(async { store.get_many(&["users:a", "users:b"]).await.pop().unwrap().map(drop) }).await,
    );
    note(
        "remove_many",
        timed(async { store.remove_many(&["users:a", "users:b"]).await.pop().unwrap() }).await,
    );
    note("token", timed(async { store.get_with_token("users:a", TIMEOUT).await.map(drop) }).await);
    note("guard", timed(async { store.guard("users:a", TIMEOUT).await.map(drop) }).await);
    note("put_if", timed(async { store.put_if("users:a", &token, "1".into(), None).await.map(drop) }).await);
    note("clear", timed(async { store.clear("users:").await.map(drop) }).await);
    calls
}

/// Checks that all calls fail, and no later than 50 ms behind their time-out. On a machine with too much to do, one of
/// three of a kind does.
async fn all_fail_in_time(store: &Redis) {
    let mut shortest = std::collections::BTreeMap::new();
    for _ in 0..3 {
        for (name, outcome, time) in all_kinds_of_calls(store).await {
            assert!(outcome.is_err(), "{name}");
            let shortest = shortest.entry(name).or_insert(time);
            *shortest = time.min(*shortest);
        }
        if shortest.values().all(|time| *time <= TIMEOUT + Duration::from_millis(50)) {
            return;
        }
    }
    panic!("three times: {shortest:?}");
}

#[tokio::test]
async fn no_call_to_a_server_that_hangs_takes_longer_than_its_time_out() {
    let server = servers::Redis::start();
    let store = impatient(server.url()).await;

    server.pause();
    all_fail_in_time(&store).await;
    let (_, time) = timed(futures::future::join_all((0..1_000).map(|_| store.get("users:a")))).await;
    assert!(time < TIMEOUT + SLACK, "a thousand calls took {time:?}");
    let error = store.get("users:a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");

    server.resume();
    until_back(&store).await;
}

/// The first look at the server is given the time to connect; no call after it is.
#[tokio::test]
async fn the_first_call_has_its_own_time_out_whatever_connecting_was_given() {
    let server = servers::Redis::start();
    let options = Redis::options().response_timeout(TIMEOUT).connect_timeout(Duration::from_secs(30));
    let store = options.connect(server.url()).await.unwrap();
    server.pause();
    let (found, time) = timed(store.get("users:a")).await;
    assert_eq!(found.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(time < Duration::from_secs(5), "it took {time:?}");
}

#[tokio::test]
async fn no_call_through_a_network_that_swallows_everything_takes_longer_than_its_time_out() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = impatient(&proxy.url(server.url())).await;

    proxy.blackhole();
    all_fail_in_time(&store).await;
    proxy.heal();
    until_back(&store).await;
}

#[tokio::test]
async fn a_large_put_to_a_server_that_reads_nothing_takes_no_longer_than_its_time_out() {
    let server = servers::Redis::start();
    let store = impatient(server.url()).await;

    server.pause();
    let large = Bytes::from(vec![7; 16 << 20]);
    let puts = (0..3).map(|number| {
        let (store, large) = (&store, large.clone());
        async move { store.put(&format!("users:{number}"), large, None).await }
    });
    let (outcomes, time) = timed(futures::future::join_all(puts)).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.is_err()));
    assert!(time < TIMEOUT + SLACK, "they took {time:?}");
    server.resume();
    until_back(&store).await;
}

#[tokio::test]
async fn the_store_comes_back_by_itself_after_the_server_was_killed_and_started_again() {
    let server = servers::Redis::start();
    let store = impatient(server.url()).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();

    for _ in 0..3 {
        server.kill();
        let (outcome, time) = timed(store.get("users:ada")).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Store);
        assert!(time < TIMEOUT + SLACK, "{time:?}");
        server.restart();
        // No call before this one has noticed.
        assert_eq!(store.get("users:ada").await.unwrap(), None);
        store.put("users:ada", "1815".into(), None).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
    }
}

#[tokio::test]
async fn a_restarted_server_learns_the_scripts_again() {
    let server = servers::Redis::start();
    let store = impatient(server.url()).await;
    let hour = Duration::from_secs(3600);
    store.get_with_token("users:ada", hour).await.unwrap();

    server.restart();
    let record = store.get_with_token("users:ada", hour).await.unwrap();
    server.restart();
    let put = store.put_if("users:ada", &record.token.unwrap(), "1815".into(), None).await.unwrap();
    assert_eq!(put, PutIf::Refused, "the server has lost the guard");
    let token = store.get_with_token("users:ada", hour).await.unwrap().token.unwrap();
    assert_eq!(store.put_if("users:ada", &token, "1815".into(), None).await.unwrap(), PutIf::Done);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_costs_no_read_and_no_removal() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = impatient(&proxy.url(server.url())).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();

    for _ in 0..5 {
        proxy.cut();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
        proxy.cut();
        store.remove("users:none").await.unwrap();
        proxy.half_close();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_read_again_or_an_error_and_never_a_part() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = impatient(&proxy.url(server.url())).await;
    let value = Bytes::from(vec![7; 100_000]);
    store.put("users:ada", value.clone(), None).await.unwrap();

    for bytes in [0, 1, 5, 9, 20, 1_000, 60_000, 100_010] {
        proxy.cut_answers_after(bytes);
        if let Ok(found) = store.get("users:ada").await {
            assert_eq!(found, Some(value.clone()), "cut after {bytes}");
        }
        proxy.heal();
        until_back(&store).await;
        assert_eq!(store.get("users:ada").await.unwrap(), Some(value.clone()));
        proxy.cut_requests_after(bytes);
        let _ = store.put("users:bob", value.clone(), None).await;
        proxy.heal();
        until_back(&store).await;
        let found = store.get("users:bob").await.unwrap();
        assert!(found.is_none() || found.as_ref() == Some(&value), "a part was stored");
    }
}

#[tokio::test]
async fn a_slow_network_is_slow_and_no_fault() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let patient = Duration::from_secs(20);
    let options = Redis::options().response_timeout(patient).connect_timeout(patient);
    let store = options.connect(&proxy.url(server.url())).await.unwrap();

    proxy.delay(Duration::from_millis(20));
    let puts = (0..100).map(|number| {
        let store = &store;
        async move { store.put(&format!("users:{number}"), "1".into(), None).await }
    });
    assert!(futures::future::join_all(puts).await.into_iter().all(|put| put.is_ok()));
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn through_a_cache_with_a_loader_no_fault_is_an_error() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = impatient(&proxy.url(server.url())).await;
    let ages = Cache::new(store).codec(larder_codecs::Json).namespace("ages");
    let faults: [(&str, &dyn Fn()); 8] = [
        ("healthy", &|| {}),
        ("cut", &|| proxy.cut()),
        ("half-closed", &|| proxy.half_close()),
        ("cut in an answer", &|| proxy.cut_answers_after(3)),
        ("cut in a request", &|| proxy.cut_requests_after(3)),
        ("refused", &|| {
            proxy.refuse();
            proxy.cut();
        }),
        ("swallowed", &|| proxy.blackhole()),
        ("hanging", &|| server.pause()),
    ];
    for (number, (name, fault)) in (0..).zip(faults) {
        fault();
        for key in 0..3_u32 {
            let key = format!("{number}/{key}");
            let (age, time) = timed(ages.get_or_load(&key, async || Ok::<u32, ()>(36))).await;
            assert_eq!(age.unwrap(), 36, "{name}");
            assert!(time < 3 * (TIMEOUT + SLACK), "{name} took {time:?}");
        }
        proxy.heal();
        server.resume();
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_harms_nobody() {
    let server = servers::Redis::start();
    let store = support::redis(server.url()).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();
    for _ in 0..20 {
        let others: Vec<_> = (0..50)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.get("users:ada").await })
            })
            .collect();
        let gone: Vec<_> = (0..50)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { store.put(&format!("users:{number}"), "1".into(), None).await })
            })
            .collect();
        tokio::task::yield_now().await;
        gone.iter().for_each(tokio::task::JoinHandle::abort);
        for other in others {
            assert_eq!(other.await.unwrap().unwrap(), Some("1815".into()));
        }
    }
}

#[test]
fn a_store_outlives_the_runtime_that_it_was_made_on() {
    let server = servers::Redis::start();
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
    let first = runtime();
    let store = first.block_on(support::redis(server.url()));
    first.block_on(store.put("users:ada", "1815".into(), None)).unwrap();
    drop(first);

    let second = runtime();
    assert_eq!(second.block_on(store.get("users:ada")).unwrap(), Some("1815".into()));
    drop(second);
    let error = futures::executor::block_on(store.get("users:ada")).unwrap_err();
    assert!(error.to_string().contains("within a Tokio runtime"), "{error}");
}

#[tokio::test]
async fn a_store_that_is_dropped_ends_its_connection_and_sends_what_was_called() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = support::redis(&proxy.url(server.url())).await;
    {
        let mut put = std::pin::pin!(store.put("users:ada", "1815".into(), None));
        assert!(futures::poll!(put.as_mut()).is_pending());
    }
    drop(store);
    let other = support::redis(server.url()).await;
    let begun = SystemClock.now_exact();
    while proxy.open_connections() > 0 || other.get("users:ada").await.unwrap().is_none() {
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(20), "it lives on");
        tokio::task::yield_now().await;
    }
}
