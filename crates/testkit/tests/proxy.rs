//! Each fault of the proxy is what it says, and ends when it is healed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use larder_testkit::Proxy;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// So long something is waited for that must not come.
const MOMENT: Duration = Duration::from_millis(50);

/// Starts a server which says the same back, and tells all that it gets.
fn echo() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (tell, told)) = (listener.local_addr().unwrap(), channel());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let (mut client, mut buffer) = (client, [0; 4_096]);
                while let Ok(length @ 1..) = client.read(&mut buffer) {
                    let _ = tell.send(buffer[..length].to_vec());
                    let _ = client.write_all(&buffer[..length]);
                }
            });
        }
    });
    (address, told)
}

fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).unwrap()
}

fn say(client: &mut TcpStream, text: &str) {
    client.write_all(text.as_bytes()).unwrap();
}

/// What comes next, as far as it has come.
fn hear(client: &mut TcpStream) -> std::io::Result<String> {
    let mut buffer = [0; 4_096];
    let length = client.read(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

fn ask(client: &mut TcpStream, text: &str) -> std::io::Result<String> {
    client.write_all(text.as_bytes())?;
    let mut buffer = vec![0; text.len()];
    client.read_exact(&mut buffer)?;
    Ok(String::from_utf8(buffer).unwrap())
}

fn hears_nothing(client: &mut TcpStream) -> bool {
    client.set_read_timeout(Some(MOMENT)).unwrap();
    let heard = hear(client);
    client.set_read_timeout(None).unwrap();
    heard.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn is_reset(heard: std::io::Result<String>) -> bool {
    heard.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

#[test]
fn what_is_said_comes_and_is_counted() {
    let (server, _told) = echo();
    let proxy = Proxy::to(server);
    let (mut one, mut two) = (connect(&proxy), connect(&proxy));

    assert_eq!(ask(&mut one, "hello").unwrap(), "hello");
    assert_eq!(ask(&mut two, "you").unwrap(), "you");
    assert_eq!(ask(&mut one, "again").unwrap(), "again");

    assert_eq!((proxy.connections(), proxy.open_connections(), proxy.round_trips()), (2, 2, 3));
    assert_eq!((proxy.bytes_to_server(), proxy.bytes_to_client()), (13, 13));
}

#[test]
fn much_comes_whole_and_in_order() {
    let (server, _told) = echo();
    let proxy = Proxy::to(server);
    let mut client = connect(&proxy);
    let much: Vec<u8> =
        (0..3_000_000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();

    let mut writer = client.try_clone().unwrap();
    let sent = much.clone();
    std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();

    assert!(heard == much);
}

#[test]
fn an_end_is_passed_on_and_so_is_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::to(listener.local_addr().unwrap());
    let mut client = connect(&proxy);
    let mut served = listener.accept().unwrap().0;

    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear(&mut served).unwrap(), "");
    say(&mut served, "bye");
    assert_eq!(hear(&mut client).unwrap(), "bye");
    drop(served);
    assert_eq!(hear(&mut client).unwrap(), "");

    let mut client = connect(&proxy);
    let served = listener.accept().unwrap().0;
    say(&mut client, "unread");
    served.peek(&mut [0]).unwrap();
    drop(served);
    assert!(is_reset(hear(&mut client)));
}

#[test]
fn a_server_that_is_not_there_resets() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::to(nobody);
    assert!(is_reset(hear(&mut connect(&proxy))));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a delay is real time, and at least so long")]
fn a_delay_is_there_each_way() {
    let (server, _told) = echo();
    let proxy = Proxy::to(server);
    let mut client = connect(&proxy);
    let delay = Duration::from_millis(40);

    proxy.delay(delay);
    let start = std::time::Instant::now();
    assert_eq!(ask(&mut client, "hello").unwrap(), "hello");
    assert!(start.elapsed() >= 2 * delay);

    proxy.delay(Duration::from_secs(1_000));
    say(&mut client, "hello");
    assert!(hears_nothing(&mut client));
    proxy.heal();
    assert_eq!(hear(&mut client).unwrap(), "hello");
}

#[test]
fn what_is_held_comes_when_it_is_healed_even_if_nobody_waits_any_more() {
    let (server, told) = echo();
    let proxy = Proxy::to(server);
    let (mut patient, mut impatient) = (connect(&proxy), connect(&proxy));
    proxy.hold();

    say(&mut patient, "patient");
    assert!(hears_nothing(&mut patient));
    say(&mut impatient, "impatient");
    drop(impatient);
    assert!(told.recv_timeout(MOMENT).is_err());

    proxy.heal();
    assert_eq!(hear(&mut patient).unwrap(), "patient");
    let mut arrived = [told.recv().unwrap(), told.recv().unwrap()];
    arrived.sort();
    assert_eq!(arrived, [b"impatient".to_vec(), b"patient".to_vec()]);
}

#[test]
fn a_black_hole_swallows_both_ways_and_for_ever() {
    let (server, told) = echo();
    let proxy = Proxy::to(server);
    let (mut used, mut unused) = (connect(&proxy), connect(&proxy));
    ask(&mut used, "hello").unwrap();
    told.recv().unwrap();

    proxy.blackhole();
    let mut new = connect(&proxy);
    say(&mut used, "lost");
    say(&mut new, "lost too");
    assert!(hears_nothing(&mut used) && hears_nothing(&mut new));
    assert!(told.recv_timeout(MOMENT).is_err());

    proxy.heal();
    assert!(is_reset(hear(&mut used)) && is_reset(hear(&mut new)));
    assert_eq!(ask(&mut unused, "hello").unwrap(), "hello");
    assert_eq!(ask(&mut connect(&proxy), "hello").unwrap(), "hello");
}

#[test]
fn an_end_too_is_swallowed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::to(listener.local_addr().unwrap());
    let client = connect(&proxy);
    let mut served = listener.accept().unwrap().0;

    proxy.blackhole();
    client.shutdown(Shutdown::Both).unwrap();

    assert!(hears_nothing(&mut served));
    proxy.heal();
    assert!(is_reset(hear(&mut served)));
}

#[test]
fn a_cut_resets_what_is_open_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::to(listener.local_addr().unwrap());
    let mut client = connect(&proxy);
    let mut served = listener.accept().unwrap().0;
    say(&mut client, "hello");
    assert_eq!(hear(&mut served).unwrap(), "hello");

    proxy.cut();

    assert_eq!(proxy.open_connections(), 0);
    assert!(is_reset(hear(&mut client)) && is_reset(hear(&mut served)));
    let mut client = connect(&proxy);
    let mut served = listener.accept().unwrap().0;
    say(&mut client, "hello");
    assert_eq!(hear(&mut served).unwrap(), "hello");
}

#[test]
fn what_is_held_is_cut_too() {
    let (server, told) = echo();
    let proxy = Proxy::to(server);
    let mut client = connect(&proxy);
    ask(&mut client, "first").unwrap();
    told.recv().unwrap();

    proxy.hold();
    say(&mut client, "second");
    proxy.cut();
    proxy.heal();

    assert!(is_reset(hear(&mut client)));
    assert!(told.recv_timeout(MOMENT).is_err());
}

#[test]
fn a_request_is_cut_in_the_middle() {
    let (server, told) = echo();
    let proxy = Proxy::to(server);
    let mut client = connect(&proxy);
    ask(&mut client, "first").unwrap();
    told.recv().unwrap();

    proxy.cut_requests_after(3);
    say(&mut client, "second");

    assert_eq!(told.recv().unwrap(), b"sec");
    let mut heard = String::new();
    while let Ok(text) = hear(&mut client) {
        heard.push_str(&text);
    }
    assert!("sec".starts_with(&heard));
    proxy.heal();
    assert_eq!(ask(&mut connect(&proxy), "third").unwrap(), "third");
}

#[test]
fn an_answer_is_cut_in_the_middle_on_each_connection() {
    let (server, _told) = echo();
    let proxy = Proxy::to(server);
    let mut old = connect(&proxy);
    ask(&mut old, "first").unwrap();
    proxy.cut_answers_after(7);

    for mut client in [old, connect(&proxy)] {
        assert_eq!(ask(&mut client, "abcd").unwrap(), "abcd");
        say(&mut client, "efgh");
        assert_eq!(hear(&mut client).unwrap(), "efg");
        assert!(is_reset(hear(&mut client)));
    }
}

#[test]
fn a_half_closed_connection_says_nothing_more_and_still_listens() {
    let (server, told) = echo();
    let proxy = Proxy::to(server);
    let mut client = connect(&proxy);
    ask(&mut client, "first").unwrap();
    told.recv().unwrap();

    proxy.half_close();

    assert_eq!(hear(&mut client).unwrap(), "");
    say(&mut client, "second");
    assert_eq!(told.recv().unwrap(), b"second");
    assert_eq!(hear(&mut client).unwrap(), "");
    assert_eq!(ask(&mut connect(&proxy), "third").unwrap(), "third");
}

#[test]
fn connections_are_refused_and_open_ones_go_on() {
    let (server, _told) = echo();
    let proxy = Proxy::to(server);
    let mut old = connect(&proxy);
    ask(&mut old, "first").unwrap();

    proxy.refuse();
    let refused = TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ask(&mut old, "second").unwrap(), "second");

    proxy.heal();
    assert_eq!(ask(&mut connect(&proxy), "third").unwrap(), "third");
}

#[test]
fn a_dropped_proxy_is_gone() {
    let (server, _told) = echo();
    let proxy = Proxy::to(server);
    let address = proxy.address();
    let mut client = connect(&proxy);
    ask(&mut client, "hello").unwrap();

    drop(proxy);

    assert!(TcpStream::connect(address).is_err());
    assert!(hear(&mut client).is_ok_and(|heard| heard.is_empty()));
}
