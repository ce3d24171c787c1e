//! Compare-and-set between stores that know nothing of each other.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod raw;
}

use larder_core::{ByteStore, Clock, PutIf, SystemClock, Token};
use larder_memcached::Memcached;
use larder_testkit::servers;
use std::collections::HashSet;
use std::time::Duration;
use support::raw::Raw;

const HOUR: Duration = Duration::from_secs(3600);
const KEY: &str = "users:ada";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_find_nothing_all_have_one_guard_and_one_puts() {
    let server = servers::Memcached::start();
    for round in 0..20 {
        let tasks: Vec<_> = (0..8)
            .map(|number: u8| {
                let url = server.url().to_owned();
                tokio::spawn(async move {
                    let store = Memcached::options().max_connections(1).connect(&url).await.unwrap();
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
async fn a_guard_lasts_as_long_as_each_who_has_it_asked_for() {
    let server = servers::Memcached::start();
    let store = Memcached::connect(server.url()).await.unwrap();
    let mut raw = Raw::connect(&server);

    let first = store.get_with_token(KEY, HOUR).await.unwrap().token.unwrap();
    assert!(raw.left(KEY).unwrap() > 7_000, "so that the next one finds it with enough left");
    let second = store.get_with_token(KEY, HOUR).await.unwrap().token.unwrap();
    assert_eq!(first, second, "it has enough left");
    let third = store.get_with_token(KEY, 3 * HOUR).await.unwrap().token.unwrap();
    assert!(raw.left(KEY).unwrap() >= 3 * 3_600);
    assert_eq!(store.put_if(KEY, &first, "1815".into(), None).await.unwrap(), PutIf::Refused);
    assert_eq!(store.put_if(KEY, &third, "1816".into(), None).await.unwrap(), PutIf::Done);

    store.guard(KEY, Duration::from_millis(1)).await.unwrap();
    assert!(raw.left(KEY).unwrap() <= 2);
    store.guard(KEY, Duration::MAX).await.unwrap();
    assert_eq!(raw.left(KEY), None);
    let last = store.get_with_token(KEY, Duration::MAX).await.unwrap().token.unwrap();
    assert_eq!(store.put_if(KEY, &last, "1817".into(), None).await.unwrap(), PutIf::Done);
}

#[tokio::test]
async fn what_has_expired_is_no_record() {
    let server = servers::Memcached::start();
    let store = Memcached::connect(server.url()).await.unwrap();
    // memcached keeps it for a second more.
    let soon = SystemClock.wall() + Duration::from_millis(20);
    store.put(KEY, "1815".into(), Some(soon)).await.unwrap();
    while SystemClock.wall() <= soon {
        tokio::task::yield_now().await;
    }
    assert!(Raw::connect(&server).item(KEY).is_some());

    assert_eq!(store.get(KEY).await.unwrap(), None);
    let record = store.get_with_token(KEY, HOUR).await.unwrap();
    assert_eq!(record.bytes, None);
    assert_eq!(store.put_if(KEY, &record.token.unwrap(), "1816".into(), None).await.unwrap(), PutIf::Done);
    assert_eq!(store.get(KEY).await.unwrap(), Some("1816".into()));
}

/// memcached numbers its items from the beginning when it starts again.
#[tokio::test]
async fn a_token_from_before_a_restart_is_refused() {
    let server = servers::Memcached::start();
    let store = Memcached::connect(server.url()).await.unwrap();
    let before = store.get_with_token(KEY, HOUR).await.unwrap().token.unwrap();
    server.restart();

    let after = store.get_with_token(KEY, HOUR).await.unwrap().token.unwrap();
    assert_eq!(before.as_bytes()[8..], after.as_bytes()[8..], "the same number");
    assert_eq!(store.put_if(KEY, &before, "1815".into(), None).await.unwrap(), PutIf::Refused);
    assert_eq!(store.get(KEY).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_that_is_none_of_ours_is_refused() {
    let server = servers::Memcached::start();
    let store = Memcached::connect(server.url()).await.unwrap();
    store.put(KEY, "1815".into(), None).await.unwrap();
    for token in [b"".as_slice(), b"x", &[0; 16], &[255; 16], &[0; 1_000]] {
        let token = Token::new(token.to_vec());
        assert_eq!(store.put_if(KEY, &token, "1816".into(), None).await.unwrap(), PutIf::Refused);
    }
    assert_eq!(store.get(KEY).await.unwrap(), Some("1815".into()));
}

#[tokio::test]
async fn what_is_not_ours_is_nothing_and_is_replaced() {
    let server = servers::Memcached::start();
    let store = Memcached::connect(server.url()).await.unwrap();
    let mut raw = Raw::connect(&server);
    for theirs in ["", "short", "longer than any head of ours"] {
        assert_eq!(raw.ask(&format!("set {KEY} 0 0 {}\r\n{theirs}", theirs.len())), "STORED");
        assert_eq!(store.get(KEY).await.unwrap(), None);
        let token = store.get_with_token(KEY, HOUR).await.unwrap().token.unwrap();
        assert_eq!(store.put_if(KEY, &token, "1815".into(), None).await.unwrap(), PutIf::Done);
        assert_eq!(store.get(KEY).await.unwrap(), Some("1815".into()));
    }
}
