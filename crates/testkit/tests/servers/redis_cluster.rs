//! A cluster of Redis servers.

use crate::resp::Client;
use larder_testkit::servers::RedisCluster;

/// The slot of the key "foo", and one of another node.
const FOO: u16 = 12_182;
const OTHER: u16 = 100;

#[test]
fn each_node_serves_its_slots_and_knows_the_others() {
    let cluster = RedisCluster::shared();
    let node = cluster.node_of(FOO);
    let mut client = Client::connect(node.port());
    assert_eq!(client.ask("SET foo bar"), "+OK");
    assert_eq!(client.ask("GET foo"), "bar");

    let elsewhere = Client::connect(cluster.node_of(OTHER).port()).ask("GET foo");
    assert_eq!(elsewhere, format!("-MOVED {FOO} 127.0.0.1:{}", node.port()));
    assert_eq!(cluster.urls().len(), 3);
}

#[test]
fn a_node_that_is_killed_takes_only_its_slots_along_and_comes_back() {
    let cluster = RedisCluster::start();
    let other = cluster.node_of(OTHER);
    let mut client = Client::connect(cluster.node_of(FOO).port());

    other.kill();
    assert_eq!(client.ask("SET foo bar"), "+OK");

    other.restart();
    other.wait_for_log("Cluster state changed: ok");
    let slots = Client::connect(other.port()).ask("CLUSTER COUNTKEYSINSLOT 100");
    assert_eq!(slots, ":0");
    let elsewhere = Client::connect(other.port()).ask("GET foo");
    assert!(elsewhere.starts_with("-MOVED"), "{elsewhere}");
}

#[test]
#[should_panic(expected = "a cluster has the slots 0 to 16383, not 16384")]
fn there_is_no_node_of_a_slot_that_is_none() {
    RedisCluster::shared().node_of(16_384);
}
