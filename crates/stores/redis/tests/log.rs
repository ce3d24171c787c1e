//! What the log keeps and what it costs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, ErrorKind, Invalidation, Name, Position, PutIf, SharedLog};
use larder_redis::Redis;
use larder_testkit::Proxy;
use larder_testkit::servers::{self, RedisCluster};
use std::sync::Arc;
use std::time::Duration;
use support::{command, patient, redis};

const HOUR: Duration = Duration::from_secs(3600);
const STATE: &str = "{larder}.log";

fn log(store: &Redis) -> Arc<dyn SharedLog> {
    store.log().unwrap()
}

async fn mark(log: &dyn SharedLog, known: Option<Position>, names: &[Name]) -> larder_core::Invalidated {
    log.invalidate(known, Invalidation { voids: &[], guard_for: HOUR, names }).await.unwrap()
}

fn tags(numbers: std::ops::Range<usize>) -> Vec<Name> {
    numbers.map(|number| Name::tag(&number.to_string())).collect()
}

#[tokio::test]
async fn clones_have_one_log() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    assert!(Arc::ptr_eq(&log(&store), &log(&store.clone())));
    assert_eq!(log(&store).place(), format!("the log `larder` of Redis at 127.0.0.1:{}", server.port()));
}

#[tokio::test]
async fn logs_of_different_names_do_not_meet() {
    let server = servers::Redis::start();
    let other = patient().log("other").connect(server.url()).await.unwrap();
    let (one, other) = (log(&redis(server.url()).await), log(&other));
    let before = other.news(None).await.unwrap();
    mark(&*one, None, &tags(0..1)).await;
    assert_eq!(other.news(Some(before.position)).await.unwrap(), before);
}

#[tokio::test]
async fn the_oldest_marks_go_and_floors_rise_for_each_kind() {
    let server = servers::Redis::start();
    let store = patient().log_names(10).connect(server.url()).await.unwrap();
    let log = log(&store);
    let all = [Name::namespace("users:")];
    let begin = log.news(None).await.unwrap().position;
    let at = |number| Some(Position { number, ..begin });
    mark(&*log, None, &all).await;
    for number in 0..10 {
        mark(&*log, None, &tags(number..number + 1)).await;
    }
    let news = log.news(at(0)).await.unwrap();
    assert_eq!((news.floor, news.key_floor, news.since.unwrap().len()), (0, 0, 11), "there is room for them");

    let news = mark(&*log, at(1), &tags(10..13)).await.news;
    // The first three have 2, 3 and 4.
    assert_eq!((news.position.number, news.floor, news.key_floor), (12, 4, 0));
    assert_eq!(news.since, None, "not all of it is there");
    assert_eq!(log.news(at(3)).await.unwrap().since, None);
    assert_eq!(log.news(at(4)).await.unwrap().since.unwrap().len(), 10);
    let (_, read) = log.read(at(4), "users:none", None).await.unwrap();
    assert_eq!((read.floor, read.key_floor, read.since.unwrap().len()), (4, 0, 10));
    let (marks, _) = log.marks(None, &[tags(2..3), tags(3..4), all.to_vec()].concat()).await.unwrap();
    assert_eq!(marks, [None, Some(5), Some(1)], "namespaces stay");

    // A mark that is renewed is a young one.
    mark(&*log, None, &tags(3..4)).await;
    mark(&*log, None, &tags(13..14)).await;
    let (marks, news) = log.marks(None, &tags(3..5)).await.unwrap();
    assert_eq!((marks, news.floor), (vec![Some(13), None], 6));

    let keys: Vec<_> = (0..25).map(|number| Name::key(&format!("users:{number}"))).collect();
    let news = mark(&*log, at(14), &keys).await.news;
    assert_eq!((news.floor, news.key_floor, news.since), (6, 15, None), "it may be one of its own");
    assert_eq!(log.news(at(15)).await.unwrap().since, Some(Vec::new()));
}

#[tokio::test]
async fn a_limit_that_was_lowered_is_reached_some_at_a_time() {
    let server = servers::Redis::start();
    let (large, small) =
        (redis(server.url()).await, patient().log_names(10).connect(server.url()).await.unwrap());
    mark(&*log(&large), None, &tags(0..3_000)).await;
    let count = || async { command(server.port(), &["ZCARD", "{larder}.log.tags"]).await.trim().to_owned() };
    for expected in [":1999", ":997", ":11", ":11"] {
        mark(&*log(&small), None, &tags(0..1)).await;
        assert_eq!(count().await, expected);
    }
}

#[tokio::test]
async fn what_is_too_much_is_not_told() {
    let server = servers::Redis::start();
    let log = log(&redis(server.url()).await);
    let begin = log.news(None).await.unwrap().position;
    mark(&*log, None, &tags(0..9_999)).await;
    mark(&*log, None, &tags(9_999..10_000)).await;
    assert_eq!(log.news(Some(begin)).await.unwrap().since.unwrap().len(), 10_000);
    mark(&*log, None, &[Name::namespace("users:")]).await;
    let news = log.news(Some(begin)).await.unwrap();
    assert_eq!((news.since, news.floor), (None, 0), "its marks are there nevertheless");
    assert_eq!(log.marks(Some(begin), &tags(0..2)).await.unwrap().0, [Some(1), Some(1)]);
}

#[tokio::test]
async fn the_log_has_no_end_and_no_clear_meets_it() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let begin = mark(&*log(&store), None, &tags(0..1)).await.news.position;
    for prefix in ["{larder}.log:", "larder:", "{larder}:"] {
        let _ = store.clear(prefix).await.unwrap();
    }
    assert_eq!(log(&store).news(Some(begin)).await.unwrap().position, begin);
    for key in ["", ".tags", ".keys", ".namespaces"] {
        assert_eq!(command(server.port(), &["PTTL", &format!("{STATE}{key}")]).await.trim(), ":-1", "{key}");
    }
}

#[tokio::test]
async fn a_guard_is_there_only_where_one_was_asked_for_and_has_an_end() {
    let server = servers::Redis::start();
    let log = log(&redis(server.url()).await);
    log.read(None, "users:ada", None).await.unwrap();
    assert_eq!(command(server.port(), &["EXISTS", "users:ada"]).await.trim(), ":0");
    log.read(None, "users:ada", Some(HOUR)).await.unwrap();
    let voided = Invalidation { voids: &["users:bob"], guard_for: HOUR, names: &[] };
    log.invalidate(None, voided).await.unwrap();
    for key in ["users:ada", "users:bob"] {
        let left: i64 =
            command(server.port(), &["PTTL", key]).await.trim_start_matches(':').trim().parse().unwrap();
        assert!((3_000_000..=3_600_000).contains(&left), "{key}: {left}");
    }
}

/// Requests to the server, counted where each waits for the answer to the last.
#[tokio::test]
async fn each_call_is_one_request_and_a_read_two_if_something_has_happened() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (store, other) = (redis(&proxy.url(server.url())).await, redis(server.url()).await);
    let log = log(&store);
    let (names, voids) = ([Name::key("users:ada")], ["users:ada", "users:bob"]);
    // Scripts are sent once with their text, which takes another.
    let mut known = mark(&*log, None, &names).await.news.position;
    log.marks(None, &names).await.unwrap();
    log.news(Some(known)).await.unwrap();
    log.read(None, "users:ada", Some(HOUR)).await.unwrap();

    let count = || proxy.round_trips();
    let mut last = count();
    let mut cost = |what: &str, expected: u64, now: u64| {
        assert_eq!(now - last, expected, "{what}");
        last = now;
    };
    for guard_for in [None, Some(HOUR)] {
        log.read(Some(known), "users:ada", guard_for).await.unwrap();
        cost("a read when nothing has happened", 1, count());
        log.read(None, "users:ada", guard_for).await.unwrap();
        cost("the first read", 1, count());
        mark(&*self::log(&other), None, &names).await;
        known = log.read(Some(known), "users:ada", guard_for).await.unwrap().1.position;
        cost("a read when something has happened", 2, count());
    }
    log.news(Some(known)).await.unwrap();
    cost("news", 1, count());
    log.marks(Some(known), &names).await.unwrap();
    cost("marks", 1, count());
    log.invalidate(Some(known), Invalidation { voids: &voids, guard_for: HOUR, names: &names })
        .await
        .unwrap();
    cost("an invalidation", 1, count());
}

/// What is called is carried out, and the answer is lost. Whether it was in the end is told by the numbers: a machine that is
/// busy may let an answer through, and then it is tried again.
async fn lost_answer<T>(proxy: &Proxy, others: &dyn SharedLog, call: impl Future<Output = T>) -> (T, u64) {
    let before = others.news(None).await.unwrap().position.number;
    proxy.delay(Duration::from_millis(200));
    let losing = async {
        while others.news(None).await.unwrap().position.number == before {}
        proxy.cut();
        proxy.heal();
    };
    let answer = tokio::join!(call, losing).0;
    (answer, others.news(None).await.unwrap().position.number - before)
}

#[tokio::test]
async fn an_invalidation_that_voids_is_not_sent_again_and_one_that_does_not_is() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (log, others) = (log(&redis(&proxy.url(server.url())).await), log(&redis(server.url()).await));
    let names = [Name::key("users:ada")];
    mark(&*log, None, &names).await;

    let mut outcomes = Vec::new();
    for _ in 0..10 {
        let voids = Invalidation { voids: &["users:ada"], guard_for: HOUR, names: &names };
        let (done, times) = lost_answer(&proxy, &*others, log.invalidate(None, voids)).await;
        assert_eq!(times, 1, "it was voided again");
        outcomes.push(done.is_err());
        let harmless = Invalidation { voids: &[], ..voids };
        let (done, times) = lost_answer(&proxy, &*others, log.invalidate(None, harmless)).await;
        assert!(done.is_ok() && times <= 2, "{done:?}");
        outcomes.push(times == 2);
        if outcomes.ends_with(&[true, true]) {
            return;
        }
    }
    panic!("no answer was lost: {outcomes:?}");
}

#[tokio::test]
async fn what_changes_nothing_is_asked_again_over_another_connection() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let log = log(&redis(&proxy.url(server.url())).await);
    let names = [Name::key("users:ada")];
    let known = mark(&*log, None, &names).await.news.position;
    for _ in 0..20 {
        proxy.cut();
        assert_eq!(log.marks(None, &names).await.unwrap().0, [Some(1)]);
        proxy.cut();
        let (_, news) = log.read(Some(known), "users:none", Some(HOUR)).await.unwrap();
        proxy.cut();
        assert_eq!(log.news(Some(known)).await.unwrap(), news);
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let log = log(&store);
    let names = [Name::key("users:ada")];
    let begin = mark(&*log, None, &names).await.news.position;
    for call in ["news", "marks", "invalidate", "read"] {
        command(server.port(), &["SCRIPT", "FLUSH"]).await;
        let news = match call {
            "news" => log.news(Some(begin)).await.unwrap(),
            "marks" => log.marks(Some(begin), &names).await.unwrap().1,
            "invalidate" => mark(&*log, Some(begin), &names).await.news,
            _ => log.read(Some(begin), "users:ada", Some(HOUR)).await.unwrap().1,
        };
        assert_eq!(news.position.era, begin.era, "{call}");
    }
}

#[tokio::test]
async fn voided_records_are_forgotten_where_copies_are_kept() {
    let server = servers::Redis::start();
    let store = patient().tracked(1 << 20).connect(server.url()).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    for _ in 0..50 {
        assert!(store.get("users:ada").await.unwrap().is_some());
        let voids = Invalidation { voids: &["users:ada"], guard_for: HOUR, names: &[] };
        let done = log(&store).invalidate(None, voids).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), None, "a copy was kept");
        let put = store.put_if("users:ada", &done.tokens[0], "1815".into(), None).await.unwrap();
        assert_eq!(put, PutIf::Done);
    }
}

#[tokio::test]
async fn foreign_keys_in_the_place_of_the_log_are_an_error_with_the_cure() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    for key in ["", ".tags", ".keys", ".namespaces"] {
        command(server.port(), &["FLUSHALL"]).await;
        if !key.is_empty() {
            log(&store).news(None).await.unwrap();
        }
        command(server.port(), &["SET", &format!("{STATE}{key}"), "mine"]).await;
        let error = log(&store).news(None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("`.log(name)`"), "{error}");
        mark_fails(&*log(&store)).await;
    }
    command(server.port(), &["FLUSHALL"]).await;
    let begin = log(&store).news(None).await.unwrap().position;
    mark(&*log(&store), None, &tags(0..1)).await;
    command(server.port(), &["ZADD", "{larder}.log.tags", "1", "of a later release"]).await;
    assert_eq!(log(&store).news(Some(begin)).await.unwrap().since, None, "something happened, and not what");
}

async fn mark_fails(log: &dyn SharedLog) {
    let invalidation = Invalidation { voids: &[], guard_for: HOUR, names: &[Name::tag("team:7")] };
    log.invalidate(None, invalidation).await.unwrap_err();
    log.marks(None, &[]).await.unwrap_err();
}

#[tokio::test]
async fn who_may_not_ask_which_server_it_is_has_no_log_and_a_store_nevertheless() {
    let server = servers::Redis::start();
    command(server.port(), &["ACL", "SETUSER", "ada", "on", ">sesame", "~*", "&*", "+@all", "-info"]).await;
    let store = patient().user("ada").password("sesame").connect(server.url()).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let error = log(&store).news(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(!error.to_string().contains("sesame"), "{error}");
}

/// The log is on one node, and records on all: each is voided, or the call fails.
#[tokio::test]
async fn in_a_cluster_records_of_all_nodes_are_voided_or_the_call_fails() {
    let cluster = RedisCluster::start();
    let options = patient().response_timeout(Duration::from_secs(2));
    let store = options.connect(&support::cluster_url(&cluster)).await.unwrap();
    let log = log(&store);
    let keys: Vec<String> = (0..60).map(|number| format!("users:{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for key in &keys {
        store.put(key, "1".into(), None).await.unwrap();
    }
    let voids = Invalidation { voids: &keys, guard_for: HOUR, names: &[Name::tag("team:7")] };
    let done = log.invalidate(None, voids).await.unwrap();
    assert_eq!((done.number, done.tokens.len()), (1, keys.len()));
    for (key, token) in keys.iter().zip(&done.tokens) {
        assert_eq!(store.get(key).await.unwrap(), None);
        assert_eq!(store.put_if(key, token, "2".into(), None).await.unwrap(), PutIf::Done);
    }

    let slot = command(cluster.nodes()[0].port(), &["CLUSTER", "KEYSLOT", STATE]).await;
    let of_log = cluster.node_of(slot.trim_start_matches(':').trim().parse().unwrap()).port();
    let another = cluster.nodes().iter().find(|node| node.port() != of_log).unwrap();
    another.kill();
    log.invalidate(None, voids).await.unwrap_err();
    assert_eq!(log.news(None).await.unwrap().position, done.news.position, "it was not numbered");
}
