//! Leases: one at a time, by the server's clock, and told when they end.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod ear;
}

use larder_core::{Clock, ErrorKind, Lock, SystemClock, Token};
use larder_postgres::{Postgres, PostgresLock};
use larder_testkit::{Proxy, servers};
use std::time::Duration;
use support::admin::Admin;
use support::ear::in_time;

const NAME: &str = "users:ada";
const HOUR: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(200);

fn lock_at(url: &str) -> PostgresLock {
    Postgres::options().response_timeout(Duration::from_secs(20)).lazy(url).unwrap().lock()
}

async fn take(lock: &PostgresLock, lease: Duration) -> Option<Token> {
    lock.acquire(NAME, lease).await.unwrap()
}

/// Ends the time of all leases, without waiting for it.
async fn end_all(admin: &Admin) {
    admin.run("UPDATE larder_leases SET ends_at = clock_timestamp()").await;
}

#[tokio::test]
async fn a_lease_is_had_by_one_until_it_is_released() {
    let url = servers::Postgres::shared().database();
    let (ours, theirs) = (lock_at(&url), lock_at(&url));
    let first = take(&ours, HOUR).await.unwrap();
    assert_eq!((take(&theirs, HOUR).await, take(&ours, HOUR).await), (None, None));
    assert!(theirs.acquire("users:bob", HOUR).await.unwrap().is_some());
    assert!(ours.renew(NAME, &first, HOUR).await.unwrap());

    ours.release(NAME, &first).await.unwrap();
    let second = take(&theirs, HOUR).await.unwrap();
    assert_ne!(first, second);
    ours.release(NAME, &first).await.unwrap();
    ours.release(NAME, &Token::new("none of ours")).await.unwrap();
    assert!(!ours.renew(NAME, &first, HOUR).await.unwrap());
    assert!(!ours.renew("nobody's", &first, HOUR).await.unwrap());
    assert_eq!(take(&ours, HOUR).await, None);
    assert!(theirs.renew(NAME, &second, HOUR).await.unwrap());
}

/// As one does that stands still: its connection is open and it does not renew.
#[tokio::test]
async fn a_lease_that_is_not_renewed_ends_though_its_connection_is_open() {
    let url = servers::Postgres::shared().database();
    let (stands_still, other) = (lock_at(&url), lock_at(&url));
    let first = take(&stands_still, SHORT).await.unwrap();
    let start = SystemClock.now_exact();
    let second = in_time(async {
        loop {
            if let Some(token) = take(&other, HOUR).await {
                break token;
            }
        }
    });
    let second = second.await;
    assert!(SystemClock.now_exact().since(start) + Duration::from_millis(50) >= SHORT);
    assert!(!stands_still.renew(NAME, &first, HOUR).await.unwrap());
    stands_still.release(NAME, &first).await.unwrap();
    assert!(other.renew(NAME, &second, HOUR).await.unwrap());
}

#[tokio::test]
async fn a_lease_that_has_ended_cannot_be_renewed_though_nobody_else_took_it() {
    let url = servers::Postgres::shared().database();
    let (lock, admin) = (lock_at(&url), Admin::connect(&url).await);
    let first = take(&lock, HOUR).await.unwrap();
    end_all(&admin).await;
    assert!(!lock.renew(NAME, &first, HOUR).await.unwrap());
    assert!(take(&lock, HOUR).await.is_some());
}

#[tokio::test]
async fn leases_of_any_length_and_names_of_any_kind() {
    let lock = lock_at(&servers::Postgres::shared().database());
    let long = "x".repeat(100_000);
    for name in ["", "\0", "ä\u{1F980}", "'\";--", &long] {
        let token = lock.acquire(name, Duration::MAX).await.unwrap().unwrap();
        assert!(lock.acquire(name, HOUR).await.unwrap().is_none());
        assert!(lock.renew(name, &token, Duration::MAX).await.unwrap());
        lock.release(name, &token).await.unwrap();
        lock.acquire(name, Duration::ZERO).await.unwrap().unwrap();
        lock.acquire(name, HOUR).await.unwrap().unwrap();
    }
}

/// Its end is later than it can have been given.
#[tokio::test]
async fn a_lease_from_before_the_clock_went_back_is_void() {
    let url = servers::Postgres::shared().database();
    let (lock, admin) = (lock_at(&url), Admin::connect(&url).await);
    let first = take(&lock, SHORT).await.unwrap();
    admin.run("UPDATE larder_leases SET ends_at = ends_at + interval '1 hour'").await;
    assert!(!lock.renew(NAME, &first, SHORT).await.unwrap());
    in_time(lock.wait(NAME, HOUR)).await.unwrap();
    assert!(take(&lock, HOUR).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_ask_one_gets_it() {
    let url = servers::Postgres::shared().database();
    let locks: Vec<_> = (0..4).map(|_| lock_at(&url)).collect();
    for round in 0..20 {
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let lock = locks[task % 4].clone();
                let name = format!("users:{round}");
                tokio::spawn(async move { lock.acquire(&name, HOUR).await.unwrap() })
            })
            .collect();
        let mut got = Vec::new();
        for task in tasks {
            got.extend(task.await.unwrap());
        }
        assert_eq!(got.len(), 1);
    }
}

#[tokio::test]
async fn who_waits_is_woken_by_the_release_and_by_no_other() {
    let url = servers::Postgres::shared().database();
    let (ours, theirs) = (lock_at(&url), lock_at(&url));
    let (token, other) = (take(&ours, HOUR).await.unwrap(), ours.acquire("users:bob", HOUR).await.unwrap());
    // Once it listens, nothing wakes it but the release.
    in_time(theirs.wait("users:eve", HOUR)).await.unwrap();
    let admin = Admin::connect(&url).await;
    let listens = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'larder listening' \
                   AND datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'";
    in_time(async { while admin.number(listens).await != 1 {} }).await;

    let waits = tokio::spawn({
        let theirs = theirs.clone();
        async move { theirs.wait(NAME, HOUR).await }
    });
    ours.release("users:bob", &other.unwrap()).await.unwrap();
    ours.release(NAME, &Token::new("none of ours")).await.unwrap();
    for _ in 0..20 {
        assert_eq!(take(&theirs, HOUR).await, None);
    }
    assert!(!waits.is_finished());
    ours.release(NAME, &token).await.unwrap();
    in_time(waits).await.unwrap().unwrap();
    assert!(take(&theirs, HOUR).await.is_some());
}

/// What was released before it was waited for, or in between.
#[tokio::test]
async fn nobody_waits_for_a_lease_that_has_ended() {
    let url = servers::Postgres::shared().database();
    let (ours, theirs) = (lock_at(&url), lock_at(&url));
    in_time(theirs.wait(NAME, HOUR)).await.unwrap();
    for round in 0..100_usize {
        let token = take(&ours, HOUR).await.unwrap();
        assert_eq!(take(&theirs, HOUR).await, None);
        let mut wait = theirs.wait(NAME, HOUR);
        for _ in 0..round % 7 {
            let _ =
                std::future::poll_fn(|cx| std::task::Poll::Ready(wait.as_mut().poll(cx).is_ready())).await;
        }
        let (released, waited) = tokio::join!(ours.release(NAME, &token), async {
            if round % 2 == 0 { in_time(theirs.wait(NAME, HOUR)).await } else { Ok(()) }
        });
        assert!(released.is_ok() && waited.is_ok());
    }
    for _ in 0..3 {
        // Nobody will say anything.
        in_time(theirs.wait(NAME, HOUR)).await.unwrap();
    }
}

#[tokio::test]
async fn who_waits_returns_when_the_lease_ends_by_itself_and_when_his_own_time_is_over() {
    let url = servers::Postgres::shared().database();
    let (ours, theirs) = (lock_at(&url), lock_at(&url));
    take(&ours, SHORT).await.unwrap();
    let start = SystemClock.now_exact();
    in_time(theirs.wait(NAME, HOUR)).await.unwrap();
    in_time(async { while take(&theirs, HOUR).await.is_none() {} }).await;
    assert!(SystemClock.now_exact().since(start) < Duration::from_secs(20));

    in_time(ours.wait(NAME, Duration::from_millis(20))).await.unwrap();
    in_time(ours.wait(NAME, Duration::ZERO)).await.unwrap();
    assert_eq!(take(&ours, HOUR).await, None);
}

#[tokio::test]
async fn a_store_of_a_given_pool_looks_again_after_a_while() {
    let url = servers::Postgres::shared().database();
    let manager = deadpool_postgres::Manager::new(url.parse().unwrap(), tokio_postgres::NoTls);
    let pool = larder_postgres::Pool::builder(manager).max_size(2).build().unwrap();
    let lock = Postgres::options().from_pool(pool).unwrap().lock();
    take(&lock, HOUR).await.unwrap();
    in_time(lock.wait(NAME, HOUR)).await.unwrap();
    assert_eq!(take(&lock, HOUR).await, None);
}

#[tokio::test]
async fn who_waits_is_woken_when_the_connection_was_lost() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (ours, theirs) = (lock_at(server.url()), lock_at(&proxy.url(server.url())));
    let token = take(&ours, HOUR).await.unwrap();
    in_time(theirs.wait("users:eve", HOUR)).await.unwrap();
    let waits = tokio::spawn({
        let theirs = theirs.clone();
        async move { theirs.wait(NAME, HOUR).await }
    });
    let admin = Admin::connect(server.url()).await;
    let asks =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%extract(epoch FROM%' AND state = 'idle'";
    in_time(async { while admin.number(asks).await < 1 {} }).await;
    proxy.refuse();
    proxy.cut();
    ours.release(NAME, &token).await.unwrap();
    proxy.heal();
    // An error, where it was cut before it waited, wakes him as well.
    let _ = in_time(waits).await.unwrap();
}

#[tokio::test]
async fn each_call_is_one_round_trip() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let options = Postgres::options().max_connections(1).response_timeout(Duration::from_secs(20));
    let lock = options.lazy(&proxy.url(server.url())).unwrap().lock();
    for round in 0..3 {
        let before = proxy.round_trips();
        let token = take(&lock, HOUR).await.unwrap();
        lock.renew(NAME, &token, HOUR).await.unwrap();
        lock.release(NAME, &token).await.unwrap();
        if round > 0 {
            assert_eq!(proxy.round_trips() - before, 3);
        }
    }
}

/// The connection is lost while the server is at work, which takes the lease all the same. Who asks again has it.
#[tokio::test]
async fn a_lost_answer_does_not_cost_the_lease() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let lock = lock_at(&proxy.url(server.url()));
    take(&lock, Duration::ZERO).await.unwrap();
    let (admin, other) = (Admin::connect(server.url()).await, Admin::connect(server.url()).await);
    admin.run("BEGIN; SELECT FROM larder_leases FOR UPDATE").await;
    let asks = tokio::spawn({
        let lock = lock.clone();
        async move { take(&lock, HOUR).await }
    });
    other.wait_for_lock_waiters(1).await;
    proxy.half_close();
    // The first is behind the row still, and the second behind the first.
    other.wait_for_lock_waiters(2).await;
    admin.run("COMMIT").await;
    let token = in_time(asks).await.unwrap().expect("it is the same lease");
    assert!(lock.renew(NAME, &token, HOUR).await.unwrap());
}

#[tokio::test]
async fn leases_that_nobody_ended_are_swept_by_those_who_end_theirs() {
    let url = servers::Postgres::shared().database();
    let (lock, admin) = (lock_at(&url), Admin::connect(&url).await);
    for number in 0..20 {
        lock.acquire(&format!("users:{number}"), HOUR).await.unwrap().unwrap();
    }
    end_all(&admin).await;
    for _ in 0..3 {
        let token = take(&lock, HOUR).await.unwrap();
        lock.release(NAME, &token).await.unwrap();
    }
    assert_eq!(admin.number("SELECT count(*) FROM larder_leases").await, 0);
}

#[tokio::test]
async fn a_crash_of_the_server_ends_all_leases() {
    let server = servers::Postgres::start();
    let lock = lock_at(server.url());
    let token = take(&lock, HOUR).await.unwrap();
    server.kill();
    assert_eq!(lock.renew(NAME, &token, HOUR).await.unwrap_err().kind(), ErrorKind::Store);
    server.restart();
    assert!(!lock.renew(NAME, &token, HOUR).await.unwrap());
    assert!(take(&lock, HOUR).await.is_some());
}
