//! What this store adds to the contract: expiry to the millisecond, prefixes, round trips.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use bytes::Bytes;
use larder_core::{ByteStore, Cleared, Clock, Put, PutIf, SystemClock};
use larder_testkit::{Proxy, servers};
use std::time::{Duration, SystemTime};
use support::{command, redis};

async fn millis_left(port: u16, key: &str) -> i64 {
    let answer = command(port, &["PTTL", key]).await;
    answer.trim_start_matches(':').trim().parse().unwrap()
}

#[tokio::test]
async fn a_life_is_kept_to_the_millisecond_and_an_endless_one_has_no_end() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let now = SystemClock.wall();
    let put = |span| Some(now + span);
    let token = store.get_with_token("users:if", Duration::from_millis(70_500)).await.unwrap().token.unwrap();
    assert!((60_000..=70_500).contains(&millis_left(server.port(), "users:if").await));
    let done =
        store.put_if("users:if", &token, "1".into(), put(Duration::from_millis(50_250))).await.unwrap();
    assert_eq!(done, PutIf::Done);
    store.put("users:short", "1".into(), put(Duration::from_millis(50_250))).await.unwrap();
    store.guard("users:guard", Duration::from_millis(50_250)).await.unwrap();
    let many = [Put { key: "users:many", bytes: "1".into(), expires_at: put(Duration::from_millis(50_250)) }];
    store.put_many(&many).await.remove(0).unwrap();
    for key in ["users:if", "users:short", "users:guard", "users:many"] {
        let left = millis_left(server.port(), key).await;
        assert!((40_000..=50_251).contains(&left), "{key}: {left}");
        assert_ne!(left % 1_000, 0, "{key}: whole seconds would be a coincidence");
    }
    store.put("users:short", "1".into(), None).await.unwrap();
    assert_eq!(millis_left(server.port(), "users:short").await, -1);
    let far = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::MAX / 4)).unwrap();
    store.put("users:far", "1".into(), Some(far)).await.unwrap();
    assert_eq!(store.get("users:far").await.unwrap(), Some("1".into()));
}

#[tokio::test]
async fn what_is_over_already_is_removed_and_a_short_life_ends() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let past = Some(SystemClock.wall() - Duration::from_millis(1));
    for key in ["users:put", "users:if", "users:many"] {
        store.put(key, "older".into(), None).await.unwrap();
    }
    let token = store.get_with_token("users:if", Duration::from_secs(9)).await.unwrap().token.unwrap();
    store.put("users:put", "1".into(), past).await.unwrap();
    assert_eq!(store.put_if("users:if", &token, "1".into(), past).await.unwrap(), PutIf::Done);
    store
        .put_many(&[Put { key: "users:many", bytes: "1".into(), expires_at: past }])
        .await
        .remove(0)
        .unwrap();
    for key in ["users:put", "users:if", "users:many"] {
        assert_eq!(store.get(key).await.unwrap(), None, "{key}");
    }

    store.put("users:ada", "1".into(), Some(SystemClock.wall() + Duration::from_millis(30))).await.unwrap();
    let begun = SystemClock.now_exact();
    while store.get("users:ada").await.unwrap().is_some() {
        assert!(SystemClock.now_exact().since(begun) < Duration::from_secs(20), "it does not end");
    }
}

#[tokio::test]
async fn a_guard_that_is_read_lasts_anew() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let first = store.get_with_token("users:ada", Duration::from_secs(10)).await.unwrap();
    let second = store.get_with_token("users:ada", Duration::from_secs(3600)).await.unwrap();
    assert_eq!(first, second);
    assert!(millis_left(server.port(), "users:ada").await > 3_000_000);

    // A value keeps its own end.
    let token = second.token.unwrap();
    let put = store
        .put_if("users:ada", &token, "1".into(), Some(SystemClock.wall() + Duration::from_secs(50)))
        .await;
    assert_eq!(put.unwrap(), PutIf::Done);
    store.get_with_token("users:ada", Duration::from_secs(3600)).await.unwrap();
    assert!(millis_left(server.port(), "users:ada").await <= 50_000);
}

#[tokio::test]
async fn clear_removes_thousands_of_keys_of_one_namespace_and_no_other() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    let namespaces = ["users", "user*", "us?rs", "[u]sers", "[^x]sers", "us\\ers", "u-s", "*", "?", "{u}"];
    let keys: Vec<String> =
        namespaces.iter().flat_map(|space| (0..50).map(move |number| format!("{space}:{number}"))).collect();
    let many: Vec<String> = (0..5_000).map(|number| format!("many:{number}")).collect();
    let puts: Vec<_> = keys
        .iter()
        .chain(&many)
        .map(|key| Put { key, bytes: Bytes::from_static(b"1"), expires_at: None })
        .collect();
    assert!(store.put_many(&puts).await.into_iter().all(|put| put.is_ok()));

    assert_eq!(store.clear("many:").await.unwrap(), Cleared::Done);
    let all = |keys: Vec<String>, there: bool| {
        let store = &store;
        async move {
            let names: Vec<&str> = keys.iter().map(String::as_str).collect();
            for (key, found) in keys.iter().zip(store.get_many(&names).await) {
                assert_eq!(found.unwrap().is_some(), there, "{key}");
            }
        }
    };
    all(many, false).await;
    for (cleared, namespace) in namespaces.iter().enumerate() {
        assert_eq!(store.clear(&format!("{namespace}:")).await.unwrap(), Cleared::Done);
        let (gone, left) = keys.split_at(50 * (cleared + 1));
        all(gone.to_vec(), false).await;
        all(left.to_vec(), true).await;
    }
}

#[tokio::test]
async fn clear_of_what_is_no_namespace_removes_nothing() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    store.put("users:ada", "1".into(), None).await.unwrap();
    for prefix in ["", "users", "users:a", "users:a:"] {
        assert_eq!(store.clear(prefix).await.unwrap(), Cleared::Unsupported, "{prefix:?}");
    }
    assert!(store.get("users:ada").await.unwrap().is_some());
}

#[tokio::test]
async fn concurrent_calls_share_round_trips_and_many_keys_take_few() {
    let server = servers::Redis::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = redis(&proxy.url(server.url())).await;
    let keys: Vec<String> = (0..256).map(|number| format!("users:{number}")).collect();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let puts: Vec<_> =
        names.iter().map(|key| Put { key, bytes: Bytes::from_static(b"1"), expires_at: None }).collect();

    let before = proxy.round_trips();
    assert!(store.put_many(&puts).await.into_iter().all(|put| put.is_ok()));
    assert!(store.get_many(&names).await.into_iter().all(|found| found.unwrap().is_some()));
    let batches = proxy.round_trips() - before;
    assert!(batches <= 4, "{batches} round trips for two batches");

    let before = proxy.round_trips();
    let found = futures::future::join_all(names.iter().map(|key| store.get(key))).await;
    assert!(found.into_iter().all(|found| found.unwrap().is_some()));
    let singles = proxy.round_trips() - before;
    assert!(singles <= 4, "{singles} round trips for 256 concurrent reads");

    let before = proxy.round_trips();
    store.get_with_token("users:0", Duration::from_secs(9)).await.unwrap();
    assert_eq!(proxy.round_trips() - before, 2, "the server learns the script");
    let before = proxy.round_trips();
    let token = store.get_with_token("users:0", Duration::from_secs(9)).await.unwrap().token.unwrap();
    store.guard("users:0", Duration::from_secs(9)).await.unwrap();
    assert_eq!(proxy.round_trips() - before, 2, "one round trip each");
    let _ = store.put_if("users:0", &token, "1".into(), None).await.unwrap();
}

#[tokio::test]
async fn calls_on_one_key_happen_in_the_order_in_which_they_were_made() {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    for round in 0..50 {
        let text = format!("{round}");
        let calls = futures::join!(
            store.put("users:ada", "first".into(), None),
            store.remove("users:ada"),
            store.put("users:ada", text.clone().into(), None),
            store.get("users:ada"),
        );
        assert_eq!(calls.3.unwrap(), Some(text.into()));
    }
}

#[tokio::test]
async fn a_server_is_reached_over_its_socket_and_keys_may_be_anything() {
    let server = servers::Redis::start();
    let socket = server.folder().join("redis.sock");
    let socketed = servers::Redis::options().arguments(&format!("--unixsocket {}", socket.display())).start();
    let store = redis(&format!("unix://{}", socket.display())).await;
    for key in ["users:", "users:\0\r\n", "users:\u{1F600}", &"x:".repeat(10_000)] {
        store.put(key, key.to_owned().into(), None).await.unwrap();
        assert_eq!(store.get(key).await.unwrap(), Some(key.to_owned().into()));
    }
    drop(socketed);
}
