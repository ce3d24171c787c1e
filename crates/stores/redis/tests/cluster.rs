//! A cluster: keys go where their slots are, also when those move, and a node that is down spoils only its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, Cleared, Clock, Put, PutIf, SystemClock};
use larder_redis::Redis;
use larder_testkit::servers::RedisCluster;
use std::time::Duration;
use support::{cluster_url, command, redis};

const TIMEOUT: Duration = Duration::from_millis(500);
const SLACK: Duration = Duration::from_millis(500);

fn keys() -> Vec<String> {
    (0..600).map(|number| format!("users:{number}")).collect()
}

async fn slot(cluster: &RedisCluster, key: &str) -> u16 {
    let answer = command(cluster.nodes()[0].port(), &["CLUSTER", "KEYSLOT", key]).await;
    answer.trim_start_matches(':').trim().parse().unwrap()
}

/// Which keys are on the first node: it tells by answering, and the others by sending on.
async fn is_on(cluster: &RedisCluster, node: usize, key: &str) -> bool {
    std::ptr::eq(cluster.node_of(slot(cluster, key).await), &raw const cluster.nodes()[node])
}

async fn impatient(cluster: &RedisCluster) -> Redis {
    Redis::options()
        .response_timeout(TIMEOUT)
        .connect_timeout(TIMEOUT)
        .connect(&cluster_url(cluster))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_node_that_is_down_spoils_only_its_own_keys() {
    let cluster = RedisCluster::start();
    let store = impatient(&cluster).await;
    let keys = keys();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let put = |key| Put { key, bytes: "1".into(), expires_at: None };
    let puts: Vec<_> = names.iter().map(|key| put(key)).collect();
    assert!(store.put_many(&puts).await.into_iter().all(|put| put.is_ok()));

    cluster.nodes()[1].kill();
    let begun = SystemClock.now_exact();
    let (found, put, removed) =
        (store.get_many(&names).await, store.put_many(&puts).await, store.remove_many(&names[..300]).await);
    let time = SystemClock.now_exact().since(begun);
    assert!(time < 3 * 3 * (TIMEOUT + SLACK), "windows of three batches took {time:?}");
    let mut down = 0;
    for (number, key) in names.iter().enumerate() {
        let is_down = is_on(&cluster, 1, key).await;
        down += usize::from(is_down);
        assert_eq!(found[number].is_err(), is_down, "{key}: {:?}", found[number]);
        assert_eq!(put[number].is_err(), is_down, "{key}");
        if number < 300 {
            assert_eq!(removed[number].is_err(), is_down, "{key}");
        }
    }
    assert!(down > 100 && down < 400, "{down}");
    assert!(store.clear("users:").await.is_err(), "not all of it could be removed");
    assert_eq!(
        store.get_many(&names).await.into_iter().filter(|found| matches!(found, Ok(Some(_)))).count(),
        0
    );

    cluster.nodes()[1].restart();
    let begun = SystemClock.now_exact();
    while store.put_many(&puts).await.into_iter().any(|put| put.is_err()) {
        assert!(
            SystemClock.now_exact().since(begun) < Duration::from_secs(30),
            "the cluster does not come back"
        );
    }
    assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
    assert!(store.get_many(&names).await.into_iter().all(|found| found.unwrap().is_none()));
}

#[tokio::test]
async fn a_node_that_hangs_costs_no_call_more_than_its_time_out_and_others_nothing() {
    let cluster = RedisCluster::start();
    let store = impatient(&cluster).await;
    let keys = keys();
    cluster.nodes()[2].pause();
    for key in &keys[..60] {
        let begun = SystemClock.now_exact();
        let found = store.get(key).await;
        let time = SystemClock.now_exact().since(begun);
        let hangs = is_on(&cluster, 2, key).await;
        assert_eq!(found.is_err(), hangs, "{key}: {found:?}");
        assert!(time < if hangs { TIMEOUT + SLACK } else { SLACK }, "{key} took {time:?}");
        if hangs {
            break;
        }
    }
    cluster.nodes()[2].resume();
    let begun = SystemClock.now_exact();
    for key in &keys[..60] {
        while store.get(key).await.is_err() {
            assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(30), "it does not come back");
        }
    }
}

#[tokio::test]
async fn a_slot_that_moves_is_followed_in_the_middle_of_its_way_and_after() {
    let cluster = RedisCluster::start();
    let store = redis(&cluster_url(&cluster)).await;
    let (there, absent) = ("{foo}:there", "{foo}:absent");
    let number = slot(&cluster, there).await;
    let from = cluster.node_of(number);
    let to = cluster.nodes().iter().find(|node| node.port() != from.port()).unwrap();
    let (name, from, to) = (number.to_string(), from.port(), to.port());
    store.put(there, "1".into(), None).await.unwrap();

    let id = |port| async move {
        let mut stream =
            tokio::io::BufReader::new(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"CLUSTER MYID\r\n").await.unwrap();
        let mut id = String::new();
        for _ in 0..2 {
            id.clear();
            tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut id).await.unwrap();
        }
        id.trim().to_owned()
    };
    let (from_id, to_id) = (id(from).await, id(to).await);
    command(to, &["CLUSTER", "SETSLOT", &name, "IMPORTING", &from_id]).await;
    command(from, &["CLUSTER", "SETSLOT", &name, "MIGRATING", &to_id]).await;

    // What is not at the old node any more is at the new one, which answers only who was sent there.
    assert_eq!(store.get(there).await.unwrap(), Some("1".into()));
    store.put(absent, "2".into(), None).await.unwrap();
    assert_eq!(store.get(absent).await.unwrap(), Some("2".into()));
    let second = Duration::from_secs(9);
    let token = store.get_with_token(absent, second).await.unwrap().token.unwrap();
    assert_eq!(store.put_if(absent, &token, "3".into(), None).await.unwrap(), PutIf::Done);
    assert_eq!(
        store.get_many(&[there, absent]).await.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
        [Some("1".into()), Some("3".into())]
    );
    command(from, &["MIGRATE", "127.0.0.1", &to.to_string(), there, "0", "5000"]).await;
    for node in cluster.nodes() {
        command(node.port(), &["CLUSTER", "SETSLOT", &name, "NODE", &to_id]).await;
    }

    assert_eq!(store.get(there).await.unwrap(), Some("1".into()));
    store.remove(there).await.unwrap();
    assert_eq!(store.get(there).await.unwrap(), None);
    assert_eq!(store.get(absent).await.unwrap(), Some("3".into()));
}

#[tokio::test]
async fn one_node_of_those_that_are_named_is_enough_to_find_the_others() {
    let cluster = RedisCluster::start();
    cluster.nodes()[0].pause();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (hangs, answers) = (cluster.nodes()[0].port(), cluster.nodes()[1].port());
    let url = format!("redis+cluster://127.0.0.1:{nobody},127.0.0.1:{hangs},127.0.0.1:{answers}");
    let store = redis(&url).await;
    cluster.nodes()[0].resume();
    for key in keys() {
        store.put(&key, "1".into(), None).await.unwrap();
    }
}
