//! In which order a read asks for the position of the log and for the record.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, Clock, Invalidation, Name, SharedLog, SystemClock};
use larder_testkit::servers::{self, RedisCluster};
use std::time::Duration;
use support::{cluster_url, command, redis};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const HOUR: Duration = Duration::from_secs(3600);
const STATE: &str = "{larder}.log";

async fn mark(log: &dyn SharedLog) -> larder_core::Position {
    let invalidation = Invalidation { voids: &[], guard_for: HOUR, names: &[Name::tag("team:7")] };
    log.invalidate(None, invalidation).await.unwrap().news.position
}

#[tokio::test]
async fn one_server_is_asked_for_the_record_behind_the_position() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let log = store.log().unwrap();
    let known = mark(&*log).await;
    log.news(None).await.unwrap();
    let mut monitor =
        BufReader::new(tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.unwrap());
    monitor.write_all(b"MONITOR\r\n").await.unwrap();
    let mut line = String::new();
    monitor.read_line(&mut line).await.unwrap();

    log.read(Some(known), "users:first", None).await.unwrap();
    mark(&*log).await;
    log.read(Some(known), "users:second", None).await.unwrap();
    store.get("users:end").await.unwrap();

    let mut said = Vec::new();
    while !line.contains("users:end") {
        line.clear();
        monitor.read_line(&mut line).await.unwrap();
        // What scripts do is told too.
        if !line.contains(" lua]") {
            said.push(
                line.split(['"', ' '])
                    .find(|word| word.len() > 2 && word.chars().all(char::is_uppercase))
                    .unwrap()
                    .to_owned(),
            );
        }
    }
    let round = ["HMGET", "EXISTS", "GET"];
    let expected = [&round[..], &["EVALSHA"], &round, &["EVALSHA", "GET"], &["GET"]].concat();
    assert_eq!(said, expected);
}

/// Node A has the log and node B the record. B answers before A does, and between the two somebody voids the record and
/// numbers that.
#[tokio::test]
async fn in_a_cluster_a_record_that_was_read_before_the_news_is_read_again() {
    let cluster = RedisCluster::start();
    let (store, other) = (redis(&cluster_url(&cluster)).await, redis(&cluster_url(&cluster)).await);
    let log = store.log().unwrap();
    let known = mark(&*log).await;
    mark(&*other.log().unwrap()).await;
    log.news(None).await.unwrap();
    let slot = async |key: &str| -> u16 {
        let slot = command(cluster.nodes()[0].port(), &["CLUSTER", "KEYSLOT", key]).await;
        slot.trim_start_matches(':').trim().parse().unwrap()
    };
    let of_log = cluster.node_of(slot(STATE).await).port();
    let mut key = String::new();
    let mut of_record = of_log;
    for number in 0..100 {
        key = format!("users:{number}");
        of_record = cluster.node_of(slot(&key).await).port();
        if of_record != of_log {
            break;
        }
    }
    store.put(&key, "old".into(), None).await.unwrap();
    let gets = async || {
        let stats = support::bulk(of_record, &["INFO", "commandstats"]).await;
        let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls=").map(str::to_owned));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse::<u64>().unwrap())
    };
    let blocked = async || support::bulk(of_log, &["INFO", "clients"]).await.contains("blocked_clients:1");

    // Scripts wait, and are carried out in their order then.
    command(of_log, &["CLIENT", "PAUSE", "30000", "WRITE"]).await;
    let numbering = tokio::spawn(async move { mark(&*other.log().unwrap()).await });
    until(async || blocked().await).await;
    let before = gets().await;
    let reading = tokio::spawn({
        let (log, key) = (store.log().unwrap(), key.clone());
        async move { log.read(Some(known), &key, None).await.unwrap() }
    });
    until(async || gets().await == before + 2).await;
    redis(&cluster_url(&cluster)).await.guard(&key, HOUR).await.unwrap();
    command(of_log, &["CLIENT", "UNPAUSE"]).await;

    let (record, news) = reading.await.unwrap();
    assert_eq!(news.position, numbering.await.unwrap(), "it was numbered before the news");
    assert_eq!(record.bytes, None, "the news came with a record that had been voided by then");
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = SystemClock.now_exact();
    while !is_so().await {
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(20), "it does not come");
        tokio::task::yield_now().await;
    }
}
