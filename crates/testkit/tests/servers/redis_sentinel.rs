//! A sentinel and what it watches.

use crate::resp::Client;
use larder_testkit::servers::RedisSentinel;

/// Where the sentinel says that the main server is.
fn main_port(redis: &RedisSentinel) -> u16 {
    let mut client = Client::connect(redis.sentinel().port());
    let told = client.ask(&format!("SENTINEL GET-MASTER-ADDR-BY-NAME {}", RedisSentinel::NAME));
    assert_eq!((told, client.receive().unwrap()), ("*2".into(), "127.0.0.1".into()));
    client.receive().unwrap().parse().unwrap()
}

#[test]
fn the_replica_takes_over_when_the_main_server_is_gone() {
    let redis = RedisSentinel::start();
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}", redis.sentinel().port()));
    assert_eq!(main_port(&redis), redis.main().port());
    let mut client = Client::connect(redis.main().port());
    client.ask("SET name ada");
    assert_eq!(client.ask("WAIT 1 0"), ":1");

    redis.main().kill();
    redis.wait_for_failover();

    assert_eq!(main_port(&redis), redis.replica().port());
    let mut client = Client::connect(redis.replica().port());
    assert_eq!(client.ask("GET name"), "ada");
    assert_eq!(client.ask("SET name eve"), "+OK");
}
