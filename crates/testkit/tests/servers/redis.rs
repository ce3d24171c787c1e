//! Redis and its options.

use crate::resp::Client;
use larder_testkit::servers::Redis;
use std::process::Command;

#[test]
fn it_keeps_what_it_is_given() {
    let redis = Redis::start();
    let mut client = Client::connect(redis.port());

    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}/0", redis.port()));
    assert_eq!(client.ask("SET name ada"), "+OK");
    assert_eq!(client.ask("GET name"), "ada");
    assert_eq!(client.ask("GET other"), "$-1");
}

#[test]
fn it_is_empty_after_a_restart() {
    let redis = Redis::start();
    Client::connect(redis.port()).ask("SET name ada");

    redis.restart();

    assert_eq!(Client::connect(redis.port()).ask("GET name"), "$-1");
}

#[test]
fn the_shared_one_is_one() {
    assert_eq!(Redis::shared().port(), Redis::shared().port());
    assert_eq!(Client::connect(Redis::shared().port()).ask("PING"), "+PONG");
}

#[test]
fn a_password_is_asked_for_and_stands_in_the_url() {
    let redis = Redis::options().password("sesame").start();
    let mut client = Client::connect(redis.port());

    assert_eq!(redis.url(), format!("redis://:sesame@127.0.0.1:{}/0", redis.port()));
    assert!(client.ask("PING").starts_with("-NOAUTH"));
    assert_eq!(client.ask("AUTH sesame"), "+OK");
    assert_eq!(client.ask("PING"), "+PONG");
}

#[test]
fn a_replica_has_what_the_main_server_has_and_takes_no_writes() {
    let main = Redis::options().password("sesame").start();
    let mut client = Client::connect(main.port());
    client.ask("AUTH sesame");
    client.ask("SET name ada");

    let replica = Redis::options().replica_of(&main).start();

    let mut client = Client::connect(replica.port());
    assert_eq!(client.ask("GET name"), "ada");
    assert!(client.ask("SET name eve").starts_with("-READONLY"));
}

#[test]
fn arguments_are_passed_on() {
    let redis = Redis::options().arguments("--maxmemory 5mb").start();
    let mut client = Client::connect(redis.port());

    assert_eq!(client.ask("CONFIG GET maxmemory"), "*2");
    assert_eq!(client.receive().unwrap(), "maxmemory");
    assert_eq!(client.receive().unwrap(), "5242880");
}

#[test]
fn with_tls_it_answers_who_trusts_its_certificate_and_nobody_else() {
    let redis = Redis::options().tls().password("sesame").start();
    assert_eq!(redis.url(), format!("rediss://:sesame@127.0.0.1:{}/0", redis.port()));
    let ask = |trusted: &[&std::ffi::OsStr]| {
        let mut client = Command::new("redis-cli");
        client.args(["-h", "127.0.0.1", "--no-auth-warning", "-a", "sesame"]);
        client.args(["-p", &redis.port().to_string()]).args(trusted).arg("PING");
        String::from_utf8(client.output().unwrap().stdout).unwrap()
    };
    let certificate = redis.certificate().unwrap().as_os_str();

    assert_eq!(ask(&["--tls".as_ref(), "--cacert".as_ref(), certificate]), "PONG\n");
    assert_eq!(ask(&["--tls".as_ref()]), "");
    assert_eq!(ask(&[]), "");
    redis.restart();
    assert_eq!(ask(&["--tls".as_ref(), "--cacert".as_ref(), certificate]), "PONG\n");
}
