//! What a store of bytes does with its items.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod raw;
}

use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Clock, ErrorKind, Put, SystemClock};
use larder_memcached::Memcached;
use larder_testkit::{Proxy, servers};
use std::time::{Duration, UNIX_EPOCH};
use support::raw::Raw;

const HOUR: Duration = Duration::from_secs(3600);

async fn store() -> (servers::Memcached, Memcached) {
    let server = servers::Memcached::start();
    let store = Memcached::connect(server.url()).await.unwrap();
    (server, store)
}

#[tokio::test]
async fn every_key_has_an_item_of_its_own() {
    let (_server, store) = store().await;
    let mut keys: Vec<String> = ["ada", "", " ", "a b", "a\0b", "\r\nflush_all\r\n", "ä", "a:b", "\u{7f}"]
        .map(|text| format!("users:{text}"))
        .into();
    keys.extend(["Users:ada", "ä:ada", ":ada", ":", "", "ada", "larder@", "larder#"].map(String::from));
    for length in [243, 244, 245, 1_000, 100_000] {
        keys.push(format!("users:{}", "x".repeat(length)));
        keys.push(format!("{}:ada", "x".repeat(length)));
    }
    for key in &keys {
        assert_eq!(store.get(key).await.unwrap(), None, "{key:.40?}");
        store.put(key, Bytes::from(key.clone()), None).await.unwrap();
    }
    for key in &keys {
        assert_eq!(store.get(key).await.unwrap(), Some(Bytes::from(key.clone())), "{key:.40?}");
    }
}

#[tokio::test]
async fn the_items_are_as_documented() {
    let (server, store) = store().await;
    let mut raw = Raw::connect(&server);
    let deadline = UNIX_EPOCH + Duration::from_millis(4_102_444_800_001);
    store.put("users:ada", "1815".into(), Some(deadline)).await.unwrap();
    store.put("users:a b", "1816".into(), None).await.unwrap();

    let generation = raw.item("larder@eca9002b3d190f090d311dec7d78e493").unwrap();
    let head = [&generation[..], &4_102_444_800_001_u64.to_be_bytes()].concat();
    assert_eq!(raw.item("users:ada").unwrap(), [&head[..], b"1815"].concat());
    let hashed = format!(
        "larder#{:032x}",
        twox_hash::XxHash3_128::oneshot_with_seed(0x6C61_7264_6572_0001, b"users:a b")
    );
    assert_eq!(raw.item(&hashed).unwrap(), [&generation[..], &[0; 8], b"1816"].concat());
}

#[tokio::test]
async fn memcached_is_told_when_it_may_forget() {
    let (server, store) = store().await;
    let mut raw = Raw::connect(&server);
    let day = 24 * HOUR;
    let now = SystemClock.wall();
    for (span, least, most) in [
        (Duration::from_millis(100), 1, 2),
        (60 * Duration::from_secs(1), 59, 62),
        (29 * day, 29 * 86_400 - 60, 29 * 86_400 + 2),
        (31 * day, 31 * 86_400 - 60, 31 * 86_400 + 2),
        (1_000 * day, 1_000 * 86_400 - 60, 1_000 * 86_400 + 2),
    ] {
        store.put("users:ada", "1815".into(), Some(now + span)).await.unwrap();
        let left = raw.left("users:ada").unwrap();
        assert!((least..=most).contains(&left), "{span:?}: {left}");
    }
    for forever in [None, Some(now + 100 * 365 * day)] {
        store.put("users:ada", "1815".into(), forever).await.unwrap();
        assert_eq!(raw.left("users:ada"), None);
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
    }
    store.put("users:ada", "1816".into(), Some(now - Duration::from_millis(1))).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), None);
    assert_eq!(raw.item("users:ada"), None);
}

#[tokio::test]
async fn a_value_larger_than_the_server_takes_is_an_error_and_leaves_no_older_one() {
    let server = servers::Memcached::options().max_value_mib(1).start();
    let store = Memcached::connect(server.url()).await.unwrap();
    let large: Bytes = vec![7; 1 << 20].into();
    let fits: Bytes = vec![7; (1 << 20) - 200].into();
    store.put("users:ada", fits.clone(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some(fits));

    let error = store.put("users:ada", large.clone(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("takes items of 1048576; start it with a larger -I"), "{error}");
    assert_eq!(store.get("users:ada").await.unwrap(), None);

    let put = |key, bytes: &Bytes| Put { key, bytes: bytes.clone(), expires_at: None };
    store.put("users:ada", "older".into(), None).await.unwrap();
    let puts = [put("users:ada", &large), put("users:bob", &"1816".into())];
    let kinds: Vec<_> =
        store.put_many(&puts).await.into_iter().map(|put| put.map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Err(ErrorKind::TooLarge), Ok(())]);
    assert_eq!(store.get("users:ada").await.unwrap(), None);
    let puts = [put("users:ada", &large), put("users:ada", &"1815".into())];
    assert!(store.put_many(&puts).await.pop().unwrap().is_ok());
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()), "the later counts");

    let token = store.get_with_token("users:ada", HOUR).await.unwrap().token.unwrap();
    assert_eq!(
        store.put_if("users:bob", &token, large.clone(), None).await.unwrap_err().kind(),
        ErrorKind::TooLarge
    );
    assert_eq!(store.get("users:bob").await.unwrap(), Some("1816".into()), "what the token is not for stays");
    assert_eq!(store.put_if("users:ada", &token, large, None).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(store.get("users:ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_server_without_room_is_an_error_and_leaves_no_older_value() {
    let server = servers::Memcached::options().max_value_mib(8).max_memory_mib(64).arguments("-M").start();
    let store = Memcached::connect(server.url()).await.unwrap();
    store.put("users:bob", "older".into(), None).await.unwrap();
    let bytes = Bytes::from(vec![7; 4 << 20]);
    let mut number = 0;
    while store.put(&format!("users:{number}"), bytes.clone(), None).await.is_ok() {
        number += 1;
        assert!(number < 20, "64 MiB are full");
    }

    let error = store.put("users:bob", bytes, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(
        error.to_string().contains("SERVER_ERROR") && error.to_string().contains("ut of memory"),
        "{error}"
    );
    assert_eq!(store.get("users:bob").await.unwrap(), None);
}

#[tokio::test]
async fn the_largest_value_is_kept_and_one_byte_more_is_neither_written_nor_read() {
    let (server, store) = store().await;
    let small = Memcached::options().max_value_bytes(1_000).connect(server.url()).await.unwrap();
    small.put("users:ada", vec![0; 1_000].into(), None).await.unwrap();
    assert_eq!(small.get("users:ada").await.unwrap().unwrap().len(), 1_000);
    assert_eq!(
        small.put("users:bob", vec![0; 1_001].into(), None).await.unwrap_err().kind(),
        ErrorKind::TooLarge
    );

    store.put("users:ada", vec![0; 100_000].into(), None).await.unwrap();
    store.put("users:bob", "1816".into(), None).await.unwrap();
    for error in [
        small.get("users:ada").await.unwrap_err(),
        small.get_with_token("users:ada", HOUR).await.unwrap_err(),
        small.get_many(&["users:bob", "users:ada"]).await.pop().unwrap().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(
            error.to_string().contains("100000 bytes, where 1000 are allowed; `.max_value_bytes(n)`"),
            "{error}"
        );
    }
    assert_eq!(small.get("users:bob").await.unwrap(), Some("1816".into()), "the connection goes on");
}

#[tokio::test]
async fn each_call_is_one_round_trip() {
    let server = servers::Memcached::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Memcached::options().max_connections(1).connect(&proxy.url(server.url())).await.unwrap();
    let keys: Vec<String> = (0..1_000).map(|number| format!("users:{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let puts: Vec<_> = keys.iter().map(|key| Put { key, bytes: "1815".into(), expires_at: None }).collect();
    // The generation begins.
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let mut before = proxy.round_trips();
    let mut since = || proxy.round_trips() - std::mem::replace(&mut before, proxy.round_trips());

    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(since(), 1, "put");
    store.get("users:ada").await.unwrap();
    assert_eq!(since(), 1, "get");
    let token = store.get_with_token("users:ada", HOUR).await.unwrap().token.unwrap();
    assert_eq!(since(), 1, "get_with_token");
    let _ = store.put_if("users:ada", &token, "1816".into(), None).await.unwrap();
    assert_eq!(since(), 1, "put_if");
    store.guard("users:ada", HOUR).await.unwrap();
    assert_eq!(since(), 1, "guard");
    store.get_with_token("users:ada", HOUR).await.unwrap();
    assert_eq!(since(), 1, "get_with_token of a guard");
    store.remove("users:ada").await.unwrap();
    assert_eq!(since(), 1, "remove");
    store.get_with_token("users:ada", HOUR).await.unwrap();
    assert_eq!(since(), 2, "get_with_token of nothing");
    let _ = store.clear("users:").await.unwrap();
    assert_eq!(since(), 1, "clear");
    store.put("users:ada", "1815".into(), None).await.unwrap();
    since();

    // A thousand commands are some packets, which may be answered apart, and never a thousand.
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    assert!(since() < 20, "put_many");
    assert!(store.get_many(&keys).await.into_iter().all(|found| found.unwrap().is_some()));
    assert!(since() < 20, "get_many");
    assert!(store.remove_many(&keys).await.iter().all(Result::is_ok));
    assert!(since() < 20, "remove_many");
}

/// A server that cannot get rid of its answers takes no more commands.
#[tokio::test]
async fn a_batch_larger_than_all_buffers_comes_through() {
    let server = servers::Memcached::start();
    let options = Memcached::options().response_timeout(Duration::from_secs(30));
    let store = options.connect(server.url()).await.unwrap();
    let keys: Vec<String> = (0..2_000).map(|number| format!("users:{number}{}", "x".repeat(200))).collect();
    let keys: Vec<&str> = (0..20).flat_map(|_| keys.iter().map(String::as_str)).collect();
    let bytes = Bytes::from(vec![7; 1_000]);
    let puts: Vec<_> =
        keys[..2_000].iter().map(|key| Put { key, bytes: bytes.clone(), expires_at: None }).collect();
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    let found = store.get_many(&keys).await;
    assert_eq!(found.len(), 40_000);
    assert!(found.into_iter().all(|found| found.unwrap().unwrap() == bytes));
}

#[test]
fn it_claims_to_clear_to_expire_and_to_compare_and_set() {
    let store = Memcached::options().lazy("memcached://cache.test").unwrap();
    assert_eq!(store.capabilities(), Capabilities::NONE.clear().put_if().expires());
    assert_eq!(store.usage(), None);
    let error = Memcached::options().max_connections(0).lazy("memcached://cache.test").unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("takes 1 or more"));
}
