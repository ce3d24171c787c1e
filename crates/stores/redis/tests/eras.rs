//! What the log loses it does not keep quiet about: a new era begins before anybody is answered.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, Clock, Invalidation, Name, News, Position, SharedLog, SystemClock};
use larder_redis::Redis;
use larder_testkit::servers::{self, RedisCluster, RedisSentinel};
use std::sync::Arc;
use std::time::Duration;
use support::{cluster_url, command, patient, redis, sentinel_url};

const HOUR: Duration = Duration::from_secs(3600);
const KEYS: [&str; 4] = ["{larder}.log", "{larder}.log.tags", "{larder}.log.keys", "{larder}.log.namespaces"];
const CALLS: [&str; 4] = ["news", "read", "marks", "invalidate"];

fn log(store: &Redis) -> Arc<dyn SharedLog> {
    store.log().unwrap()
}

async fn mark(log: &dyn SharedLog, known: Option<Position>) -> News {
    let names = [Name::tag("team:7"), Name::key("users:ada")];
    log.invalidate(known, Invalidation { voids: &[], guard_for: HOUR, names: &names }).await.unwrap().news
}

/// One of the calls, of somebody who knows this.
async fn call(log: &dyn SharedLog, call: &str, known: Position) -> News {
    match call {
        "news" => log.news(Some(known)).await.unwrap(),
        "read" => log.read(Some(known), "users:none", None).await.unwrap().1,
        "marks" => {
            let (marks, news) = log.marks(Some(known), &[Name::tag("team:7")]).await.unwrap();
            assert_eq!(marks, [None], "marks of an era that has ended");
            news
        }
        _ => mark(log, Some(known)).await,
    }
}

/// Checks that the news is of an era that has just begun.
fn assert_new(news: &News, before: Position, call: &str) {
    assert_ne!(news.position.era, before.era, "{call}: the era goes on");
    assert_eq!(news.position.number, u64::from(call == "invalidate"), "{call}");
    assert_eq!((news.since.as_deref(), news.floor, news.key_floor), (Some(&[][..]), 0, 0), "{call}");
}

#[tokio::test]
async fn what_is_deleted_of_the_log_is_missed_by_every_call() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let log = log(&store);
    for key in KEYS {
        for name in CALLS {
            mark(&*log, None).await;
            let before = mark(&*log, None).await.position;
            assert_eq!(command(server.port(), &["DEL", key]).await.trim(), ":1");
            let news = call(&*log, name, before).await;
            assert_new(&news, before, name);
            assert_eq!(log.news(Some(news.position)).await.unwrap().position, news.position, "{key}, {name}");
        }
    }
    for name in CALLS {
        let before = mark(&*log, None).await.position;
        command(server.port(), &["FLUSHALL"]).await;
        assert_new(&call(&*log, name, before).await, before, name);
    }
}

/// A set of marks that is there again, but is not the one that was lost.
#[tokio::test]
async fn a_part_of_another_era_is_no_part() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let log = log(&store);
    for key in &KEYS[1..] {
        for name in ["news", "marks", "invalidate"] {
            let before = mark(&*log, None).await.position;
            command(server.port(), &["DEL", key]).await;
            command(server.port(), &["ZADD", key, "+inf", "=7", "1", "t-old"]).await;
            assert_new(&call(&*log, name, before).await, before, name);
        }
    }
}

#[tokio::test]
async fn a_state_that_is_no_number_is_no_state() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let log = log(&store);
    for field in ["server", "era", "number", "floor", "key_floor"] {
        for name in CALLS {
            let before = mark(&*log, None).await.position;
            command(server.port(), &["HSET", KEYS[0], field, "x"]).await;
            assert_new(&call(&*log, name, before).await, before, name);
            let before = mark(&*log, None).await.position;
            command(server.port(), &["HDEL", KEYS[0], field]).await;
            assert_new(&call(&*log, name, before).await, before, name);
        }
    }
}

/// What was saved may have been saved some time ago; and whatever has come since, the numbers do not tell.
#[tokio::test]
async fn a_server_that_begins_again_with_what_it_saved_begins_a_new_era() {
    for name in CALLS {
        let server = servers::Redis::start();
        let store = redis(server.url()).await;
        let log = log(&store);
        store.put("users:ada", "1815".into(), None).await.unwrap();
        let saved = mark(&*log, None).await.position;
        command(server.port(), &["SAVE"]).await;
        mark(&*log, None).await;

        server.restart();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()), "it has what was saved");
        // Somebody who does not know what was lost.
        assert_new(&call(&*log, name, saved).await, saved, name);
    }
}

#[tokio::test]
async fn a_server_that_begins_again_with_nothing_begins_a_new_era() {
    for name in CALLS {
        let server = servers::Redis::start();
        let store = redis(server.url()).await;
        let log = log(&store);
        let before = log.news(None).await.unwrap().position;
        server.restart();
        assert_new(&call(&*log, name, before).await, before, name);
    }
}

/// The replica does not have the last invalidation, and is told others before anybody comes who knows that one.
#[tokio::test]
async fn a_replica_that_takes_over_begins_a_new_era() {
    let servers = RedisSentinel::start();
    let store = redis(&sentinel_url(&servers)).await;
    let log = log(&store);
    let saved = mark(&*log, None).await.position;
    until(|| async {
        let number = support::bulk(servers.replica().port(), &["HGET", KEYS[0], "number"]).await;
        number == saved.number.to_string()
    })
    .await;
    // It does not hear of its master any more.
    command(servers.replica().port(), &["REPLICAOF", "127.0.0.1", "1"]).await;
    let lost = mark(&*log, None).await.position;
    servers.main().kill();

    let other = redis(servers.replica().url()).await;
    until(|| async { other.put("users:bob", "1".into(), None).await.is_ok() }).await;
    let begun = self::log(&other).news(Some(saved)).await.unwrap();
    assert_new(&begun, saved, "news");
    for _ in 0..3 {
        mark(&*self::log(&other), None).await;
    }
    until(|| async { store.get("users:bob").await.is_ok() }).await;
    for known in [saved, lost] {
        let news = log.news(Some(known)).await.unwrap();
        assert_eq!(news.position, Position { number: 3, ..begun.position }, "one era for all");
        assert_eq!(news.since, Some(Vec::new()));
    }
}

/// A server that was made a replica and then a master again, under a connection that stayed: what it has was written by
/// another, and it may lack the last of that.
#[tokio::test]
async fn a_server_that_was_a_replica_meanwhile_begins_a_new_era() {
    for name in CALLS {
        let (one, other) = (servers::Redis::start(), servers::Redis::start());
        let (store, second) = (redis(one.url()).await, redis(other.url()).await);
        let before = mark(&*log(&second), None).await.position;
        log(&store).news(None).await.unwrap();
        command(one.port(), &["REPLICAOF", "127.0.0.1", &other.port().to_string()]).await;
        until(|| async { store.log().unwrap().read(None, "x:", None).await.is_err() }).await;
        until(|| async {
            let number = support::bulk(one.port(), &["HGET", KEYS[0], "number"]).await;
            number == before.number.to_string()
        })
        .await;
        command(one.port(), &["REPLICAOF", "NO", "ONE"]).await;
        assert_new(&call(&*log(&store), name, before).await, before, name);
    }
}

/// The log's slot moves to another node, to which connections are open already.
#[tokio::test]
async fn a_log_that_moves_to_another_node_begins_a_new_era() {
    let cluster = RedisCluster::start();
    let store = redis(&cluster_url(&cluster)).await;
    let log = log(&store);
    let before = mark(&*log, None).await.position;
    for number in 0..60 {
        store.get(&format!("users:{number}")).await.unwrap();
    }
    let slot = command(cluster.nodes()[0].port(), &["CLUSTER", "KEYSLOT", KEYS[0]]).await;
    let slot = slot.trim_start_matches(':').trim().to_owned();
    let from = cluster.node_of(slot.parse().unwrap()).port();
    let to = cluster.nodes().iter().map(|node| node.port()).find(|port| *port != from).unwrap();
    let (from_id, to_id) =
        (support::bulk(from, &["CLUSTER", "MYID"]).await, support::bulk(to, &["CLUSTER", "MYID"]).await);
    command(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).await;
    command(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).await;
    for key in KEYS {
        command(from, &["MIGRATE", "127.0.0.1", &to.to_string(), key, "0", "5000"]).await;
    }
    for node in cluster.nodes() {
        command(node.port(), &["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]).await;
    }
    assert_new(&call(&*log, "read", before).await, before, "read");
}

/// Also where the node with the log is another than that with the record.
#[tokio::test]
async fn the_node_of_the_log_begins_again() {
    let cluster = RedisCluster::start();
    let store =
        patient().response_timeout(Duration::from_secs(5)).connect(&cluster_url(&cluster)).await.unwrap();
    let log = log(&store);
    let before = mark(&*log, None).await.position;
    let slot = command(cluster.nodes()[0].port(), &["CLUSTER", "KEYSLOT", KEYS[0]]).await;
    cluster.node_of(slot.trim_start_matches(':').trim().parse().unwrap()).restart();
    until(|| async { log.news(None).await.is_ok() }).await;
    let news = log.news(Some(before)).await.unwrap();
    assert_new(&news, before, "news");
}

async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let begun = SystemClock.now_exact();
    while !is_so().await {
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(40), "it does not come");
        tokio::task::yield_now().await;
    }
}
