//! Leases in a server that fails, and what it keeps of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{Clock, Lock, SystemClock, Token};
use larder_testkit::{Proxy, servers};
use std::sync::Arc;
use std::time::Duration;
use support::{command, redis};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_lease_is_a_key_that_ends_and_goes_with_its_release() {
    let server = servers::Redis::start();
    let lock = redis(server.url()).await.lock();
    let key = "larder.lock:users:ada";
    let token = lock.acquire("users:ada", HOUR).await.unwrap().unwrap();
    let left =
        command(server.port(), &["PTTL", key]).await.trim_start_matches(':').trim().parse::<u64>().unwrap();
    assert!((3_000_000..=3_600_000).contains(&left), "{left}");
    assert!(lock.renew("users:ada", &token, 2 * HOUR).await.unwrap());
    let left =
        command(server.port(), &["PTTL", key]).await.trim_start_matches(':').trim().parse::<u64>().unwrap();
    assert!(left > 3_600_000, "{left}");
    lock.release("users:ada", &token).await.unwrap();
    assert_eq!(command(server.port(), &["EXISTS", key]).await.trim(), ":0");
}

/// Each call is one request.
#[tokio::test]
async fn each_call_is_one_request() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let lock = redis(&proxy.url(server.url())).await.lock();
    // Scripts are sent once with their text, which takes another.
    let token = lock.acquire("warm", HOUR).await.unwrap().unwrap();
    assert!(lock.renew("warm", &token, HOUR).await.unwrap());
    lock.release("warm", &token).await.unwrap();

    let before = proxy.round_trips();
    let token = lock.acquire("users:ada", HOUR).await.unwrap().unwrap();
    assert!(lock.renew("users:ada", &token, HOUR).await.unwrap());
    lock.release("users:ada", &token).await.unwrap();
    assert_eq!(proxy.round_trips() - before, 3);
}

/// The server has given it, and the answer is lost: it is ours all the same.
#[tokio::test]
async fn a_lease_whose_answer_was_lost_is_ours() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let lock = redis(&proxy.url(server.url())).await.lock();
    let token = lock.acquire("warm", HOUR).await.unwrap().unwrap();
    lock.release("warm", &token).await.unwrap();
    for number in 0..5 {
        let name = format!("users:{number}");
        proxy.delay(Duration::from_millis(200));
        let losing = async {
            while command(server.port(), &["EXISTS", &format!("larder.lock:{name}")]).await.trim() == ":0" {}
            proxy.cut();
            proxy.heal();
        };
        let taken = tokio::join!(lock.acquire(&name, HOUR), losing).0.unwrap();
        let token: Token = taken.expect("nobody else asked for it");
        assert!(lock.renew(&name, &token, HOUR).await.unwrap());
    }
}

#[tokio::test]
async fn a_server_that_began_again_has_no_leases_and_wakes_those_who_wait() {
    let server = servers::Redis::start();
    let (lock, other) = (redis(server.url()).await.lock(), redis(server.url()).await.lock());
    let token = lock.acquire("users:ada", HOUR).await.unwrap().unwrap();
    // Its first wait ends when it listens.
    other.wait("users:ada", HOUR).await.unwrap();
    let waiting = tokio::spawn(async move { other.wait("users:ada", HOUR).await });
    tokio::task::yield_now().await;
    server.restart();
    waiting.await.unwrap().unwrap();
    assert!(!lock.renew("users:ada", &token, HOUR).await.unwrap());
}

#[tokio::test]
async fn a_lease_that_ends_by_itself_is_waited_for_no_longer_than_that() {
    let server = servers::Redis::start();
    let (lock, other) = (redis(server.url()).await.lock(), redis(server.url()).await.lock());
    let begun = SystemClock.now_exact();
    for _ in 0..3 {
        while lock.acquire("users:ada", Duration::from_millis(100)).await.unwrap().is_none() {}
        other.wait("users:ada", HOUR).await.unwrap();
    }
    assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(30));
}

/// Waiting is for speed: a server that does not answer does not make it an error.
#[tokio::test]
async fn a_wait_for_a_server_that_is_away_ends_in_time() {
    let server = servers::Redis::start();
    let lock = Arc::new(redis(server.url()).await.lock());
    server.pause();
    let begun = SystemClock.now_exact();
    lock.wait("users:ada", Duration::from_millis(200)).await.unwrap();
    let waited = SystemClock.now_exact().since(begun);
    assert!((Duration::from_millis(200)..Duration::from_secs(5)).contains(&waited), "{waited:?}");
    server.kill();
}

#[tokio::test]
async fn who_may_not_publish_releases_nevertheless() {
    let server = servers::Redis::start();
    command(server.port(), &["ACL", "SETUSER", "ada", "on", ">sesame", "~*", "resetchannels", "+@all"]).await;
    let store = support::patient().user("ada").password("sesame").connect(server.url()).await.unwrap();
    let lock = store.lock();
    let token = lock.acquire("users:ada", HOUR).await.unwrap().unwrap();
    lock.release("users:ada", &token).await.unwrap();
    assert!(lock.acquire("users:ada", HOUR).await.unwrap().is_some());
}
