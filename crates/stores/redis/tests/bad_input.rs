//! Wrong settings and foreign data: clear errors, which name the cure and never the password.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_core::{ByteStore, Error, ErrorKind};
use larder_redis::Redis;
use larder_testkit::servers;
use std::error::Error as _;
use std::time::Duration;
use support::{command, redis};
use tokio::io::AsyncWriteExt;

/// Everything that is printed of an error, its sources too.
fn printed(error: &Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let causes: Vec<_> = causes.map(|cause| format!("{cause} {cause:?}")).collect();
    format!("{error} {error:?} {}", causes.join(" "))
}

#[tokio::test]
async fn a_connection_that_cannot_be_had_is_an_error_with_the_cure() {
    let open = servers::Redis::start();
    let locked = servers::Redis::options().password("sesame").start();
    let cluster = servers::RedisCluster::start();
    let web = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (web_port, mute_port) = (web.local_addr().unwrap().port(), mute.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let mut client = web.accept().await.unwrap().0;
            client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    });
    let (open, locked, node) = (open.port(), locked.port(), cluster.nodes()[0].port());
    for (url, kind, cure) in [
        (format!("redis://:hunter2@127.0.0.1:{locked}"), ErrorKind::Config, "check user and password"),
        (format!("redis://ada:hunter2@127.0.0.1:{locked}"), ErrorKind::Config, "check user and password"),
        (format!("redis://127.0.0.1:{locked}"), ErrorKind::Config, "redis://:password@host"),
        (format!("redis://127.0.0.1:{open}/99"), ErrorKind::Config, "no database of that number"),
        (format!("redis://127.0.0.1:{node}/1"), ErrorKind::Config, "which has one database"),
        (format!("redis+cluster://127.0.0.1:{open}"), ErrorKind::Config, "give it as `redis://`"),
        (
            format!("redis+sentinel://127.0.0.1:{open}/main"),
            ErrorKind::Config,
            "does not point to a sentinel",
        ),
        (format!("redis://127.0.0.1:{web_port}"), ErrorKind::Config, "is not Redis"),
        (
            format!("redis://:hunter2@127.0.0.1:{mute_port}"),
            ErrorKind::Timeout,
            "`.connect_timeout(d)` allows more",
        ),
        (format!("redis://127.0.0.1:{nobody}"), ErrorKind::Store, "start Redis there"),
        ("redis://no.such.host.invalid".into(), ErrorKind::Store, "is the host right"),
        ("unix:///no/such/socket".into(), ErrorKind::Store, "start Redis there"),
        (format!("redis://:hunter2@127.0.0.1:{open}/x"), ErrorKind::Config, "redis://localhost/0"),
    ] {
        let error =
            Redis::options().connect_timeout(Duration::from_millis(500)).connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error}");
        assert!(error.to_string().contains(cure), "{url}: {error}");
        assert!(!printed(&error).contains("hunter2"), "{}", printed(&error));
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn tls_without_its_feature_names_the_feature() {
    let error = Redis::connect("rediss://localhost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the feature `tls`"), "{error}");
}

#[tokio::test]
async fn nothing_prints_the_password() {
    let server = servers::Redis::options().password("hunter2").start();
    let options = Redis::options().password("hunter2").sentinel_password("hunter2");
    assert!(!format!("{options:?}").contains("hunter2"), "{options:?}");
    let store = options.connect(server.url()).await.unwrap();
    assert!(!format!("{store:?} {store:#?}").contains("hunter2"), "{store:?}");

    server.kill();
    let error = store.get("users:ada").await.unwrap_err();
    assert!(!printed(&error).contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_lazy_store_starts_without_a_server_and_serves_when_there_is_one() {
    let server = servers::Redis::start();
    server.kill();
    let store = Redis::options().lazy(server.url()).unwrap();
    assert_eq!(store.get("users:ada").await.unwrap_err().kind(), ErrorKind::Store);
    server.restart();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
    assert_eq!(Redis::options().lazy("localhost").unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn what_another_program_wrote_is_corrupt_until_a_put_replaces_it() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let foreign = [
        &["SET", "users:ada", "foreign"][..],
        &["RPUSH", "users:ada", "1"],
        &["HSET", "users:ada", "a", "1"],
    ];
    for foreign in foreign {
        for mend in ["put", "remove", "guard"] {
            command(server.port(), &["DEL", "users:ada"]).await;
            command(server.port(), foreign).await;
            let error = store.get("users:ada").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{foreign:?}: {error}");
            assert!(error.to_string().contains("another namespace"), "{error}");
            let error = store.get_with_token("users:ada", Duration::from_secs(9)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{foreign:?}: {error}");
            let token = larder_core::Token::new(&b"0123456789abcdef"[..]);
            let put = store.put_if("users:ada", &token, "x".into(), None).await.unwrap();
            assert_eq!(put, larder_core::PutIf::Refused);
            match mend {
                "put" => store.put("users:ada", "1815".into(), None).await.unwrap(),
                "remove" => store.remove("users:ada").await.unwrap(),
                _ => drop(store.guard("users:ada", Duration::from_secs(9)).await.unwrap()),
            }
            let expected = (mend == "put").then(|| "1815".into());
            assert_eq!(store.get("users:ada").await.unwrap(), expected, "{foreign:?}, {mend}");
        }
    }
}

#[tokio::test]
async fn one_bad_key_spoils_no_other_call_that_shares_its_round_trip() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    command(server.port(), &["RPUSH", "users:list", "1"]).await;
    command(server.port(), &["SET", "users:foreign", "x"]).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();

    let keys = ["users:ada", "users:list", "users:foreign"];
    let found = futures::future::join_all((0..300).map(|number| store.get(keys[number % 3]))).await;
    for (number, found) in found.into_iter().enumerate() {
        match number % 3 {
            0 => assert_eq!(found.unwrap(), Some("1815".into())),
            _ => assert_eq!(found.unwrap_err().kind(), ErrorKind::Corrupt),
        }
    }
    let many = store.get_many(&keys).await;
    assert_eq!(many[0].as_ref().unwrap(), &Some("1815".into()));
    assert_eq!(many[1].as_ref().unwrap(), &None, "`MGET` does not tell a list from nothing");
    assert_eq!(many[2].as_ref().unwrap_err().kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_replica_is_read_and_says_what_it_is_when_written() {
    let main = servers::Redis::start();
    redis(main.url()).await.put("users:ada", "1815".into(), None).await.unwrap();
    let replica = servers::Redis::options().replica_of(&main).start();
    let store = redis(replica.url()).await;
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));

    let token = larder_core::Token::new(&b"0123456789abcdef"[..]);
    let second = Duration::from_secs(1);
    let ada = store.get_with_token("users:ada", second).await.unwrap().token.unwrap();
    for refused in [
        store.put("users:ada", "1".into(), None).await,
        store.remove("users:ada").await,
        store.guard("users:ada", second).await.map(drop),
        store.get_with_token("users:none", second).await.map(drop),
        store.put_if("users:ada", &ada, "1".into(), None).await.map(drop),
        store
            .put_many(&[larder_core::Put { key: "users:a", bytes: "1".into(), expires_at: None }])
            .await
            .remove(0),
        store.remove_many(&["users:ada"]).await.remove(0),
        store.clear("users:").await.map(drop),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.to_string().contains("read-only replica"), "{error}");
    }
    let stale = store.put_if("users:ada", &token, "1".into(), None).await.unwrap();
    assert_eq!(stale, larder_core::PutIf::Refused, "a token that is not current is refused everywhere");
}

#[tokio::test]
async fn a_value_that_is_too_large_is_refused_unread_and_leaves_nothing_older() {
    let server = servers::Redis::start();
    let roomy = redis(server.url()).await;
    let store = Redis::options().max_value_bytes(1_000).connect(server.url()).await.unwrap();
    store.put("users:ada", vec![7; 1_000].into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap().unwrap().len(), 1_000);
    assert_eq!(
        store.put("users:ada", vec![7; 1_001].into(), None).await.unwrap_err().kind(),
        ErrorKind::TooLarge
    );
    assert_eq!(store.get("users:ada").await.unwrap(), None);

    roomy.put("users:ada", vec![7; 5_000_000].into(), None).await.unwrap();
    roomy.put("users:bob", "small".into(), None).await.unwrap();
    let found = store.get_many(&["users:ada", "users:bob"]).await;
    assert_eq!(found[0].as_ref().unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(found[1].as_ref().unwrap(), &Some("small".into()));
    let error = store.get("users:ada").await.unwrap_err();
    assert!(error.to_string().contains("`.max_value_bytes(n)`"), "{error}");
    let error = store.get_with_token("users:ada", Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
