//! memcached and its options.

use larder_testkit::servers::Memcached;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// Sets a value of this size and returns the answer.
fn set(memcached: &Memcached, bytes: usize) -> String {
    let mut connection = BufReader::new(TcpStream::connect(("127.0.0.1", memcached.port())).unwrap());
    let command = format!("set key 0 0 {bytes}\r\n{}\r\n", "x".repeat(bytes));
    connection.get_mut().write_all(command.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_line(&mut answer).unwrap();
    answer
}

#[test]
fn it_takes_large_values() {
    let memcached = Memcached::shared();
    assert_eq!(memcached.url(), format!("memcached://127.0.0.1:{}", memcached.port()));
    assert_eq!(set(memcached, 10), "STORED\r\n");
    assert_eq!(set(memcached, 20 << 20), "STORED\r\n");
}

#[test]
fn its_own_limit_can_be_had() {
    let memcached = Memcached::options().max_value_mib(1).max_memory_mib(64).start();
    assert_eq!(set(&memcached, 1000 << 10), "STORED\r\n");
    assert_eq!(set(&memcached, 1 << 20), "SERVER_ERROR object too large for cache\r\n");
}

#[test]
fn arguments_are_passed_on() {
    let memcached = Memcached::options().arguments("-c 17 -t 1").start();
    let mut connection = BufReader::new(TcpStream::connect(("127.0.0.1", memcached.port())).unwrap());
    connection.get_mut().write_all(b"stats settings\r\n").unwrap();
    let lines = connection.lines().map_while(Result::ok).take_while(|line| line != "END");
    assert!(lines.into_iter().any(|line| line == "STAT maxconns 17"));
}

#[test]
fn it_does_not_tell_of_each_command() {
    let memcached = Memcached::start();
    set(&memcached, 10);
    memcached.kill();
    assert!(!memcached.log().contains("set key"));
}
