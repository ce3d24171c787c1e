//! The bus when its connection ends: it comes back by itself, and says that it was away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{Bus, Clock, Listener, SystemClock};
use larder_redis::{Redis, RedisBus};
use larder_testkit::Proxy;
use larder_testkit::servers::{self, RedisCluster, RedisSentinel};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::time::Duration;
use support::{patient, redis};

#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Vec<u8>>>,
    missed: AtomicUsize,
}

impl Listener for Ear {
    fn heard(&self, message: &[u8]) {
        self.heard.lock().push(message.to_vec());
    }
    fn missed(&self) {
        self.missed.fetch_add(1, SeqCst);
    }
}

fn listen(bus: &RedisBus) -> Arc<Ear> {
    let ear = Arc::new(Ear::default());
    let weak: Weak<Ear> = Arc::downgrade(&ear);
    bus.subscribe(weak);
    ear
}

async fn until(mut is_so: impl FnMut() -> bool) {
    let begun = SystemClock.now_exact();
    while !is_so() {
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(30), "it does not come");
        tokio::task::yield_now().await;
    }
}

/// How many connections listen to the channel there.
async fn listeners(server: &servers::Redis) -> String {
    support::command(server.port(), &["CLIENT", "LIST", "TYPE", "pubsub"]).await
}

async fn hears(ear: &Ear, other: &Redis, message: &'static str) {
    other.bus().publish(message.into()).await.unwrap();
    until(|| ear.heard.lock().last().is_some_and(|heard| heard == message.as_bytes())).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_is_made_anew_and_told_about() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (store, other) = (redis(&proxy.url(server.url())).await, redis(server.url()).await);
    let ears = [listen(&store.bus()), listen(&store.bus())];
    for time in 1..4 {
        until(|| ears.iter().all(|ear| ear.missed.load(SeqCst) == time)).await;
        hears(&ears[0], &other, ["a", "b", "c"][time - 1]).await;
        proxy.cut();
    }
    until(|| ears[1].heard.lock().len() == 3).await;
    assert_eq!(*ears[0].heard.lock(), *ears[1].heard.lock(), "nobody heard anything twice");
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for() {
    let server = servers::Redis::start();
    let (store, other) = (redis(server.url()).await, redis(server.url()).await);
    let ear = listen(&store.bus());
    until(|| ear.missed.load(SeqCst) == 1).await;
    server.kill();
    assert!(store.bus().publish("nobody".into()).await.is_err());
    server.restart();
    until(|| ear.missed.load(SeqCst) == 2).await;
    hears(&ear, &other, "again").await;
}

#[tokio::test]
async fn who_listens_before_there_is_a_server_hears_when_there_is_one() {
    let server = servers::Redis::start();
    server.kill();
    let store = patient().lazy(server.url()).unwrap();
    let ear = listen(&store.bus());
    server.restart();
    until(|| ear.missed.load(SeqCst) == 1).await;
    hears(&ear, &store, "first").await;
}

/// Nothing tells of its end: it is asked whether it is there.
#[tokio::test]
async fn a_connection_that_died_in_silence_is_noticed() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let brief = Duration::from_millis(300);
    let options = Redis::options().response_timeout(brief).connect_timeout(brief);
    let (store, other) =
        (options.connect(&proxy.url(server.url())).await.unwrap(), redis(server.url()).await);
    let ear = listen(&store.bus());
    until(|| ear.missed.load(SeqCst) == 1).await;
    server.pause();
    server.resume();
    hears(&ear, &other, "a pause is no end").await;
    assert_eq!(ear.missed.load(SeqCst), 1);

    proxy.hold();
    // It has given the connection up when it tries to make another.
    let connections = proxy.connections();
    until(|| proxy.connections() > connections).await;
    proxy.heal();
    until(|| ear.missed.load(SeqCst) >= 2).await;
    hears(&ear, &other, "again").await;
}

#[tokio::test]
async fn all_listeners_share_one_connection_which_ends_with_the_store() {
    let server = servers::Redis::start();
    let (store, other) = (redis(server.url()).await, redis(server.url()).await);
    let ears: Vec<_> = (0..20).map(|_| listen(&store.clone().bus())).collect();
    until(|| ears.iter().all(|ear| ear.missed.load(SeqCst) == 1)).await;
    hears(&ears[0], &other, "all").await;
    let count = |list: String| list.trim().trim_start_matches(['$', '=']).parse::<usize>().unwrap();
    // One line of some 350 bytes.
    assert!((100..600).contains(&count(listeners(&server).await)));

    let weak = Arc::downgrade(&ears[0]);
    drop(ears);
    assert_eq!(weak.strong_count(), 0, "the bus keeps nobody alive");
    drop(store);
    let begun = SystemClock.now_exact();
    while count(listeners(&server).await) > 2 {
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(20), "it listens still");
    }
}

#[tokio::test]
async fn channels_of_different_names_do_not_meet() {
    let server = servers::Redis::start();
    let one = redis(server.url()).await;
    let other = patient().channel("other").connect(server.url()).await.unwrap();
    let (ear, apart) = (listen(&one.bus()), listen(&other.bus()));
    until(|| ear.missed.load(SeqCst) == 1 && apart.missed.load(SeqCst) == 1).await;
    hears(&apart, &other, "other").await;
    hears(&ear, &one, "one").await;
    hears(&apart, &other, "last").await;
    assert_eq!(*apart.heard.lock(), [b"other".to_vec(), b"last".to_vec()]);
}

#[tokio::test]
async fn it_listens_to_the_master_that_took_over() {
    let servers = RedisSentinel::start();
    let store = redis(&support::sentinel_url(&servers)).await;
    let ear = listen(&store.bus());
    until(|| ear.missed.load(SeqCst) == 1).await;
    servers.main().kill();
    servers.wait_for_failover();
    until(|| ear.missed.load(SeqCst) == 2).await;
    hears(&ear, &redis(servers.replica().url()).await, "from the new one").await;
}

#[tokio::test]
async fn a_node_of_a_cluster_that_is_down_silences_nobody_for_long() {
    let cluster = RedisCluster::start();
    let options = patient().response_timeout(Duration::from_secs(2));
    let store = options.clone().connect(&support::cluster_url(&cluster)).await.unwrap();
    let other = options.connect(&support::cluster_url(&cluster)).await.unwrap();
    let ear = listen(&store.bus());
    until(|| ear.missed.load(SeqCst) == 1).await;
    for node in [0, 1] {
        hears(&ear, &other, ["one", "two"][node]).await;
        let missed = ear.missed.load(SeqCst);
        let hears_that_one = {
            let list =
                support::command(cluster.nodes()[node].port(), &["CLIENT", "LIST", "TYPE", "pubsub"]).await;
            list.trim().len() > 2
        };
        cluster.nodes()[node].kill();
        if hears_that_one {
            until(|| ear.missed.load(SeqCst) > missed).await;
        }
        hears(&ear, &other, ["after one", "after two"][node]).await;
        cluster.nodes()[node].restart();
    }
}
