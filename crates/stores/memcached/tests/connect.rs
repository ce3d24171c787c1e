//! Connecting, and servers that are none, or speak badly.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use larder_core::{ByteStore, ErrorKind, Put};
use larder_memcached::Memcached;
use larder_testkit::servers;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A server that answers each line that it gets by `answer`, or hangs up where that is `None`. Ends with the test.
fn fake(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("memcached://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((connection, _)) = listener.accept() {
            let mut lines = BufReader::new(connection);
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                let Some(answer) = answer(line.trim_end()) else { break };
                if lines.get_mut().write_all(&answer).is_err() {
                    break;
                }
                line.clear();
            }
        }
    });
    url
}

/// What a server says to the questions of a new connection, and `answer` to all others.
fn fake_after_greeting(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    fake(move |line| match line {
        "version" => Some(b"VERSION 1.6.18\r\n".into()),
        "stats settings" => Some(b"STAT item_size_max 1048576\r\nSTAT cas_enabled yes\r\nEND\r\n".into()),
        line => answer(line),
    })
}

#[tokio::test]
async fn what_is_no_memcached_of_use_is_an_error_with_its_cure() {
    let settings = |line: &str, version: &str, settings: &str| match line {
        "version" => format!("VERSION {version}\r\n").into_bytes(),
        _ => format!("{settings}END\r\n").into_bytes(),
    };
    let no_cas = servers::Memcached::options().arguments("-C").start();
    let cases = [
        (no_cas.url().to_owned(), "start it without the option -C"),
        (fake(move |line| Some(settings(line, "1.5.22", ""))), "of version 1.5.22; 1.6 or newer is needed"),
        (fake(|_| Some(b"CLIENT_ERROR unauthenticated\r\n".into())), "asks for a login"),
        (
            fake(|_| Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".into())),
            "is not memcached: it says `HTTP/1.1 400",
        ),
        (fake(|_| Some(b"-ERR unknown command\r\n".into())), "is not memcached: it says `-ERR"),
    ];
    for (url, told) in cases {
        let error = Memcached::connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(told) && error.to_string().contains("127.0.0.1:"), "{error}");
    }
    let full = fake(|_| Some(b"ERROR Too many open connections\r\n".into()));
    let error = Memcached::connect(&full).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("lower `.max_connections(n)`"), "{error}");
}

#[tokio::test]
async fn garbage_is_an_error_and_takes_no_memory_nor_time() {
    let answers: [&[u8]; 16] = [
        b"",
        b"\r\n",
        b"VA\r\n",
        b"VA x\r\n",
        b"VA -1\r\n",
        b"VA 18446744073709551616\r\n",
        b"VA 5 fx\r\nvalue\r\n",
        b"VA 5 c-1\r\nvalue\r\n",
        b"VA 5\r\nvalues\r\n",
        b"VA 60000000\r\nvalue",
        b"VA 18446744073709551615\r\nvalue",
        b"HD\n",
        b"\xff\xfe\r\n",
        b"ERROR\r\n",
        b"CLIENT_ERROR bad command line format\r\n",
        &[b'V'; 10_000],
    ];
    for answer in answers {
        let url = fake_after_greeting(move |_| Some(answer.to_vec()));
        let options =
            Memcached::options().response_timeout(Duration::from_millis(300)).max_value_bytes(u64::MAX);
        let store = options.connect(&url).await.unwrap();
        let error = store.get("users:ada").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Store | ErrorKind::Timeout), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.len() < 4_000, "{shown:.200}");
        assert!(store.put("users:ada", "1815".into(), None).await.is_err(), "{answer:?}");
        assert!(store.remove("users:ada").await.is_err(), "{answer:?}");
    }
}

#[tokio::test]
async fn replies_to_something_else_are_errors() {
    let number = "VA 8 c1 f0 t-1\r\n\0\0\0\0\0\0\0\x01\r\n";
    for (to_set, to_delete) in [("EN\r\n", number), (number, "VA 0 c1 f0 t-1\r\n\r\n"), ("NS\r\n", number)] {
        let url = fake_after_greeting(move |line| {
            let answer = match line.split(' ').next() {
                Some("mg") => number,
                Some("ms") => to_set,
                Some("md") => to_delete,
                // The line of a value.
                _ => "",
            };
            Some(answer.as_bytes().to_vec())
        });
        let store = Memcached::connect(&url).await.unwrap();
        let put = store.put("users:ada", "\r\n".into(), None).await.unwrap_err();
        let remove = store.remove("users:ada").await.unwrap_err();
        for error in [put, remove] {
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(error.to_string().contains("replied to something else"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_server_that_gives_no_numbers_is_too_old_for_tokens() {
    let url = fake_after_greeting(|line| match line.split(' ').next() {
        Some("mg") if line.contains('@') => Some(b"VA 8 c1 f0 t-1\r\n\0\0\0\0\0\0\0\x01\r\n".into()),
        Some("mg") => Some(b"EN\r\n".into()),
        Some("ms") => Some(b"HD\r\n".into()),
        _ => Some(Vec::new()),
    });
    let store = Memcached::connect(&url).await.unwrap();
    let error = store.get_with_token("users:ada", Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("update it"), "{error}");
}

#[tokio::test]
async fn a_limit_that_only_the_server_knows_is_told_by_its_answer() {
    let url = fake_after_greeting(|line| match line.split(' ').next() {
        Some("mg") => Some(b"VA 8 c1 f0 t-1\r\n\0\0\0\0\0\0\0\x01\r\n".into()),
        Some("ms") => Some(b"SERVER_ERROR object too large for cache\r\n".into()),
        Some("md") => Some(b"NF\r\n".into()),
        _ => Some(Vec::new()),
    });
    let store = Memcached::connect(&url).await.unwrap();
    let error = store.put("users:ada", "\r\n".into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

/// What was refused takes away what was there before it, and not what was put behind it.
#[tokio::test]
async fn a_later_put_of_a_batch_stays_though_an_earlier_one_was_refused() {
    let (puts, removals) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (seen_puts, seen_removals) = (Arc::clone(&puts), Arc::clone(&removals));
    let url = fake_after_greeting(move |line| match line.split(' ').next() {
        Some("mg") => Some(b"VA 8 c1 f0 t-1\r\n\0\0\0\0\0\0\0\x01\r\n".into()),
        Some("ms") if seen_puts.fetch_add(1, Relaxed) == 0 => {
            Some(b"SERVER_ERROR object too large for cache\r\n".into())
        }
        Some("ms") => Some(b"HD c7\r\n".into()),
        Some("md") => {
            seen_removals.fetch_add(1, Relaxed);
            Some(b"HD\r\n".into())
        }
        _ => Some(Vec::new()),
    });
    let store = Memcached::connect(&url).await.unwrap();
    let put = |key| Put { key, bytes: "\r\n".into(), expires_at: None };
    let done = store.put_many(&[put("users:ada"), put("users:ada")]).await;
    assert_eq!(done[0].as_ref().unwrap_err().kind(), ErrorKind::TooLarge);
    assert!(done[1].is_ok());
    assert_eq!((puts.load(Relaxed), removals.load(Relaxed)), (2, 0));
}

#[tokio::test]
async fn several_servers_are_all_connected_to() {
    let up = servers::Memcached::start();
    let down = servers::Memcached::start();
    down.kill();
    let url = format!("{},127.0.0.1:{}", up.url(), down.port());
    let error = Memcached::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", down.port())), "{error}");

    // Without the one, the keys of the other are served.
    let store = Memcached::options().lazy(&url).unwrap();
    let mut kinds = [0, 0];
    for number in 0..100 {
        let put = store.put(&format!("users:{number}"), "1815".into(), None).await;
        kinds[usize::from(put.is_err())] += 1;
    }
    assert!(kinds[0] > 30 && kinds[1] > 30, "{kinds:?}");
}
