//! A server that hangs, goes away and comes back, and callers that go away.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
    pub(crate) mod task;
}

use bytes::Bytes;
use larder_core::{ByteStore, Clock, ErrorKind, Put, Result, SystemClock, Token};
use larder_postgres::Postgres;
use larder_testkit::{Proxy, servers};
use std::future::Future;
use std::time::Duration;
use support::admin::{Admin, signal};
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

async fn all_time_out(store: &Postgres) {
    let token = Token::new(b"any".as_slice());
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
    times_out("purge_expired", || store.purge_expired(&SystemClock)).await;
}

#[tokio::test]
async fn every_call_to_a_server_that_hangs_ends_in_time_and_the_next_finds_it_well() {
    let server = servers::Postgres::start();
    let options = Postgres::options().response_timeout(LIMIT).max_connections(3);
    let store = options.connect(server.url()).await.unwrap();

    for _ in 0..2 {
        server.pause();
        all_time_out(&store).await;
        server.resume();
        // What could not be sent before may come now, behind which these wait.
        while store.put("users:ada", "1816".into(), None).await.is_err() {}
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1816".into()));
    }
    let never_connected = Postgres::options().response_timeout(LIMIT).lazy(server.url()).unwrap();
    server.pause();
    all_time_out(&never_connected).await;
    server.resume();
}

#[tokio::test]
async fn a_server_that_was_killed_and_started_again_is_found_by_the_next_call() {
    let server = servers::Postgres::start();
    let store = Postgres::options().max_connections(8).connect(server.url()).await.unwrap();
    let get = || store.get("users:ada");
    for round in 0..3 {
        store.put("users:ada", format!("{round}").into(), None).await.unwrap();
        // All eight connections are open.
        let four = async || {
            let (a, b, c, d) = tokio::join!(get(), get(), get(), get());
            [a, b, c, d]
        };
        let (these, those) = tokio::join!(four(), four());
        assert!(these.iter().chain(&those).all(Result::is_ok));

        server.kill();
        if round == 1 {
            assert_eq!(get().await.unwrap_err().kind(), ErrorKind::Store);
        }
        server.restart();
        assert_eq!(get().await.unwrap(), Some(format!("{round}").into()));
    }
}

#[tokio::test]
async fn connections_that_the_server_closes_are_replaced_without_an_error() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().max_connections(4).connect(&url).await.unwrap();
    let get = || store.get("users:ada");
    let (a, b, c, d) = tokio::join!(get(), get(), get(), get());
    assert!([a, b, c, d].iter().all(Result::is_ok));

    let admin = Admin::connect(&url).await;
    let terminate = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
                     WHERE application_name = 'larder' AND datname = current_database()";
    assert_eq!(admin.number(terminate).await, 4);
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_never_half_a_value() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Postgres::options().max_connections(2).connect(&proxy.url(server.url())).await.unwrap();
    let bytes: Bytes = (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    store.put("users:ada", bytes.clone(), None).await.unwrap();

    let (mut whole, mut failed) = (0, 0);
    for after in [0, 1, 5, 20, 50, 100, 200, 500, 1_000, 50_000, 99_990, 101_000, 200_000] {
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
    assert!(whole > 0 && failed > 10, "{whole} whole, {failed} failed");
}

#[tokio::test]
async fn a_put_that_is_cut_in_the_middle_leaves_the_old_value_or_the_new_one() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Postgres::options().max_connections(2).connect(&proxy.url(server.url())).await.unwrap();
    let (old, new) = (Bytes::from(vec![1; 50_000]), Bytes::from(vec![2; 50_000]));
    for after in [0, 1, 10, 50, 1_000, 49_990, 50_200] {
        for request in [true, false] {
            store.put("users:ada", old.clone(), None).await.unwrap();
            if request {
                proxy.cut_requests_after(after);
            } else {
                proxy.cut_answers_after(after);
            }
            let put = store.put("users:ada", new.clone(), None).await;
            proxy.heal();
            let found = store.get("users:ada").await.unwrap();
            match put {
                Ok(()) => assert_eq!(found, Some(new.clone())),
                Err(_) => assert!(found == Some(old.clone()) || found == Some(new.clone()), "{after}"),
            }
        }
    }
}

/// Each of them would cost a call its time.
#[tokio::test]
async fn connections_that_are_as_silent_as_the_one_that_timed_out_are_given_up_with_it() {
    let server = servers::Postgres::start();
    let options = Postgres::options().response_timeout(LIMIT).max_connections(4);
    let store = options.connect(server.url()).await.unwrap();
    let admin = Admin::connect(server.url()).await;
    // Four statements at a time, of which none ends before the others have begun.
    admin.run("BEGIN; LOCK TABLE larder").await;
    let get = || store.get("users:ada");
    let all = async { tokio::join!(get(), get(), get(), get()) };
    let other = Admin::connect(server.url()).await;
    let unlock = async {
        other.wait_for_lock_waiters(4).await;
        admin.run("COMMIT").await;
    };
    let ((a, b, c, d), ()) = tokio::join!(all, unlock);
    assert!([a, b, c, d].iter().all(Result::is_ok));
    let backends = other.backends().await;
    assert_eq!(backends.len(), 4);

    signal("STOP", &backends);
    let start = SystemClock.now_exact();
    while SystemClock.now_exact().since(start) < LIMIT {
        tokio::task::yield_now().await;
    }
    times_out("the first", || store.get("users:ada")).await;
    for _ in 0..4 {
        store.get("users:ada").await.unwrap();
    }
    signal("CONT", &backends);
}

#[tokio::test]
async fn a_call_that_times_out_on_a_lock_leaves_the_others_in_peace() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().response_timeout(LIMIT).max_connections(2).connect(&url).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let admin = Admin::connect(&url).await;
    admin.run("BEGIN; SELECT FROM larder FOR UPDATE").await;

    for _ in 0..3 {
        times_out("put", || store.put("users:ada", "1816".into(), None)).await;
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
        store.put("users:bob", "1816".into(), None).await.unwrap();
    }
    admin.run("COMMIT").await;
}

#[tokio::test]
async fn calls_that_are_dropped_cost_no_connection_and_spoil_none() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().max_connections(2).connect(&url).await.unwrap();
    for number in 0..20 {
        store.put(&format!("users:{number}"), format!("{number}").into(), None).await.unwrap();
    }
    let (one, two) = tokio::join!(store.get("users:0"), store.get("users:1"));
    assert!(one.is_ok() && two.is_ok());
    let admin = Admin::connect(&url).await;
    let mut before = admin.backends().await;

    let mut dropped = 0;
    for round in 0..200 {
        let (key, other) = (format!("users:{}", round % 20), format!("users:{}", (round + 7) % 20));
        dropped += usize::from(cancel_after(round % 5, store.get(&key)).await.is_none());
        let token = cancel_after(round % 7, store.get_with_token(&key, HOUR)).await;
        dropped += usize::from(token.is_none());
        let found = store.get(&other).await.unwrap();
        assert_eq!(found, Some(format!("{}", (round + 7) % 20).into()));
    }

    assert!(dropped > 50, "{dropped}");
    let mut after = admin.backends().await;
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after, "the same connections serve on");
}

/// What the first put was sent on is stopped, so that the second would overtake it.
#[tokio::test]
async fn a_write_that_was_dropped_does_not_overtake_one_that_was_called_later() {
    let server = servers::Postgres::start();
    let options = Postgres::options().response_timeout(Duration::from_secs(60)).max_connections(2);
    let store = options.connect(server.url()).await.unwrap();
    let admin = Admin::connect(server.url()).await;
    let put = |key: &'static str, value: &'static str| {
        let store = store.clone();
        async move { store.put(key, value.into(), None).await }
    };
    // All is prepared on the connection that is used next.
    put("users:ada", "oldest").await.unwrap();
    put("users:ada", "oldest").await.unwrap();

    for event in ["put", "put_many", "remove", "remove_many", "guard", "clear"] {
        let next = admin.backends().await[0];
        signal("STOP", &[next]);
        assert!(cancel_after(20, put("users:ada", "old")).await.is_none());
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
        for number in 0..20 {
            put("others:bob", if number % 2 == 0 { "1" } else { "2" }).await.unwrap();
        }
        signal("CONT", &[next]);
        later.await.unwrap().unwrap();
        // Whatever is still under way has had its answer when these have theirs.
        for _ in 0..20 {
            put("others:bob", "3").await.unwrap();
        }
        let expected = event.starts_with("put").then(|| "new".into());
        assert_eq!(store.get("users:ada").await.unwrap(), expected, "{event}");
        put("users:ada", "oldest").await.unwrap();
    }
}
