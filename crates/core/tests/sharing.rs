//! What handles share: a cache, its boxed twin and its re-policied clones are one cache; a store can serve many.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Key};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_cache_its_boxed_twin_and_its_clones_with_another_policy_share_flights() {
    let users = Cache::new(Fake::<str, u32>::new()).chain(Cache::new(Fake::remote()));
    let twins =
        [users.clone().boxed(), users.clone().ttl(5 * SECOND).boxed(), users.clone().stale(SECOND).boxed()];
    let loader: Loader<u32> = Loader::value(36).gated();
    let mut callers: Vec<_> = twins
        .into_iter()
        .map(|twin| {
            let load = loader.load();
            tokio::spawn(async move { twin.get_or_load("ada", load).await })
        })
        .collect();
    let (clone, load) = (users.clone().ttl(9 * SECOND), loader.load());
    callers.push(tokio::spawn(async move { clone.get_or_load("ada", load).await }));
    settle().await;
    loader.gate().open();

    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 36);
    }
    assert_eq!(loader.loads(), 1);
    assert_eq!((users.stats().loads, users.stats().joins), (1, 3), "and statistics");
}

#[tokio::test]
async fn a_re_policied_clone_leaves_the_original_as_it_was() {
    let clock = MockClock::new();
    let users = Cache::new(Fake::<str, u32>::new()).ttl(60 * SECOND).clock(clock);
    users.clone().ttl(5 * SECOND).insert("short", 1).await.unwrap();
    users.insert("long", 2).await.unwrap();
    let left = async |key: &str| users.lookup(key).await.unwrap().unwrap().ttl_left();
    assert_eq!(left("short").await, Some(5 * SECOND));
    assert_eq!(left("long").await, Some(60 * SECOND));
}

#[tokio::test]
async fn one_connection_behind_two_namespaces_is_two_caches() {
    let connection = Arc::new(FakeBytes::new());
    let users = Cache::<str, Bytes, _, _>::new(Arc::clone(&connection)).namespace("users");
    let teams = Cache::<str, Bytes, _, _>::new(Arc::clone(&connection)).namespace("teams");
    users.insert("7", "ada".into()).await.unwrap();
    teams.insert("7", "analysts".into()).await.unwrap();

    assert_eq!(users.get("7").await.unwrap(), Some("ada".into()));
    users.clear().await.unwrap();
    assert_eq!(users.get("7").await.unwrap(), None);
    assert_eq!(teams.get("7").await.unwrap(), Some("analysts".into()));
    assert_eq!(connection.keys(), ["teams:'7"]);
}

#[tokio::test]
async fn clones_with_two_namespaces_are_two_caches_with_flights_of_their_own() {
    let base = Cache::<str, Bytes, _, _>::new(FakeBytes::new());
    let (users, teams) = (base.clone().namespace("users"), base.namespace("teams"));
    let (of_users, of_teams): (Loader<Bytes>, Loader<Bytes>) =
        (Loader::value("ada".into()).gated(), Loader::value("analysts".into()));
    let pending = tokio::spawn({
        let (users, load) = (users.clone(), of_users.load());
        async move { users.get_or_load("7", load).await.unwrap() }
    });
    settle().await;

    assert_eq!(teams.get_or_load("7", of_teams.load()).await.unwrap(), "analysts");
    of_users.gate().open();
    assert_eq!(pending.await.unwrap(), "ada");
}

#[tokio::test]
async fn namespaces_are_isolated_whatever_they_are_called() {
    let connection = FakeBytes::new();
    let names = ["a", "a:", "a:b", "", ":", "%", "a%3A", "larder", "A"];
    let cache = |name| Cache::<str, Bytes, _, _>::new(connection.clone()).namespace(name);
    for name in names {
        cache(name).insert("b:c", name.into()).await.unwrap();
        cache(name).insert("c", name.into()).await.unwrap();
    }
    for name in names {
        assert_eq!(cache(name).get("b:c").await.unwrap(), Some(name.into()), "{name}");
        assert_eq!(cache(name).get("c").await.unwrap(), Some(name.into()), "{name}");
    }
    cache("a").clear().await.unwrap();
    assert_eq!(connection.keys().len(), 2 * (names.len() - 1));
}

/// What `get` takes decides the key type, owned or borrowed.
#[tokio::test]
async fn keys_of_many_types_are_kept_apart_in_a_store_of_bytes() {
    async fn holds<K: Key + Clone>(store: &FakeBytes, keys: &[K]) {
        let cache = Cache::<K, Bytes, _, _>::new(store.clone());
        for (number, key) in keys.iter().enumerate() {
            cache.insert(key, number.to_string().into()).await.unwrap();
        }
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(cache.get(key).await.unwrap(), Some(number.to_string().into()));
        }
    }
    let store = FakeBytes::new();
    holds(&store, &[1_u64, 2, u64::MAX]).await;
    holds(&store, &[-1_i8, -2]).await;
    holds(&store, &[true, false]).await;
    holds(&store, &['1', 't']).await;
    holds(&store, &["1".to_string(), "2".into(), "true".into(), "(1,2)".into()]).await;
    holds(&store, &[(1_u8, "a"), (1, "b")]).await;
    holds(&store, &[vec![0_u8, 255], vec![]]).await;
    assert_eq!(store.keys().len(), 3 + 2 + 2 + 2 + 4 + 2 + 2, "{:?}", store.keys());
}
