//! What the registry itself does.

use super::{ages, text, with};
use larder::{Behind, CacheSettings, Caches, ErrorKind, Settings, prelude::*};
use larder_testkit::FakeBytes;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_cache_however_many_ask_for_it() {
    let caches = with(&[("LARDER_AGES_URL", "memory:///")]);
    let ask = || {
        let caches = caches.clone();
        tokio::spawn(async move { ages(&caches, "ages", CacheSettings::new().ttl(secs(60))).await.unwrap() })
    };
    let asked: Vec<_> = (0..16).map(|_| ask()).collect();
    let mut handles = Vec::new();
    for ask in asked {
        handles.push(ask.await.unwrap());
    }
    handles[0].insert("ada", 36).await.unwrap();
    for handle in &handles {
        assert_eq!(handle.get("ada").await.unwrap(), Some(36));
    }
    assert_eq!(handles[0].stats().levels[0].fresh_hits, 16);
    assert_eq!(caches.names(), ["ages"]);
}

#[cfg(feature = "msgpack")]
#[tokio::test]
async fn what_differs_is_an_error_that_names_it() {
    let caches = with(&[("LARDER_AGES_STALE", "5s")]);
    let said = || CacheSettings::new().ttl(secs(60));
    drop(ages(&caches, "ages", said()).await.unwrap());
    drop(ages(&caches, "ages", said().stale(secs(99))).await.unwrap()); // the same, as resolved

    let error = text(&ages(&caches, "ages", said().capacity(5)).await.unwrap_err());
    assert!(error.contains("differs in `capacity`, nothing and 5 (said by the code)"), "{error}");
    let error = text(&ages(&caches, "ages", CacheSettings::new()).await.unwrap_err());
    assert!(error.contains("`ttl`, 60s (said by the code) and nothing"), "{error}");
    let error = text(&caches.get_or_create::<str, u64, _>("ages", said(), Json).await.unwrap_err());
    assert!(error.contains("the type of its values, `u32` and `u64`"), "{error}");
    let error = text(&caches.get_or_create::<u64, u32, _>("ages", said(), Json).await.unwrap_err());
    assert!(error.contains("the type of its keys, `str` and `u64`"), "{error}");
    let error =
        text(&caches.get_or_create::<str, u32, _>("ages", said(), larder::MessagePack).await.unwrap_err());
    assert!(error.contains("its codec, `") && error.contains("MessagePack"), "{error}");
}

#[tokio::test]
async fn a_cache_made_in_another_way_is_another_one() {
    let caches = with(&[]);
    drop(ages(&caches, "created", CacheSettings::new()).await.unwrap());
    let error = text(&caches.memory::<str, u32>("created", CacheSettings::new()).unwrap_err());
    assert!(error.contains("by `get_or_create` and by `memory`"), "{error}");
    let memory = caches.memory::<str, u32>("memory", CacheSettings::new()).unwrap();
    text(&ages(&caches, "memory", CacheSettings::new()).await.unwrap_err());
    assert!(text(&caches.add("memory", &memory).unwrap_err()).contains("there is a cache `memory` already"));
    memory.insert("ada", 36).await.unwrap();
    let again = caches.memory::<str, u32>("memory", CacheSettings::new()).unwrap();
    assert_eq!(again.get_now("ada"), Some(36));
}

#[tokio::test]
async fn names_with_the_same_variables_are_a_conflict() {
    let caches = with(&[]);
    drop(ages(&caches, "web-ages", CacheSettings::new()).await.unwrap());
    let error = text(&caches.memory::<u64, u64>("web::ages", CacheSettings::new()).unwrap_err());
    assert!(
        error.contains("`web-ages`, and now `web::ages`; both have the variables `LARDER_WEB_AGES_..`"),
        "{error}"
    );
    text(&ages(&caches, "::", CacheSettings::new()).await.unwrap_err());
}

#[tokio::test]
async fn caches_on_one_store_have_namespaces_of_their_own() {
    let caches = with(&[("LARDER_AGES_URL", "memory:///"), ("LARDER_DEBTS_URL", "memory:///")]);
    let first = ages(&caches, "ages", CacheSettings::new()).await.unwrap();
    let second = ages(&caches, "debts", CacheSettings::new()).await.unwrap();
    first.insert("ada", 36).await.unwrap();
    assert_eq!(second.get("ada").await.unwrap(), None);
    let third = CacheSettings::new().url("memory:///").namespace("ages");
    let error = text(&ages(&caches, "others", third).await.unwrap_err());
    assert!(error.contains("the caches `ages` and `others` have the same namespace"), "{error}");
}

#[tokio::test]
async fn what_could_not_be_made_takes_no_place() {
    let caches = with(&[]);
    let nowhere = CacheSettings::new().url("file:///dev/null/nowhere");
    ages(&caches, "web-ages", nowhere).await.unwrap_err();
    assert_eq!(caches.names(), [""; 0]);
    caches.configure(Settings::from_vars([("LARDER_WEB_AGES_TTL", "5s")]).unwrap()).unwrap();
    drop(ages(&caches, "web::ages", CacheSettings::new()).await.unwrap());
}

#[tokio::test]
async fn all_are_counted_and_cleared() {
    let caches = with(&[]);
    let created = ages(&caches, "created", CacheSettings::new()).await.unwrap();
    let by_hand = Cache::new(FakeBytes::new()).codec(Json);
    caches.add("by_hand", &by_hand).unwrap();
    created.insert("ada", 36).await.unwrap();
    by_hand.insert("ada", 36_u32).await.unwrap();
    let writes = |name: &str| caches.stats()[name].levels[0].writes;
    assert_eq!(
        (caches.names(), writes("created"), writes("by_hand")),
        (vec!["by_hand".into(), "created".into()], 1, 1)
    );
    assert_eq!(caches.get::<str, u32>("by_hand").unwrap().unwrap().get("ada").await.unwrap(), Some(36));

    caches.clear().await.unwrap();
    assert_eq!((created.get("ada").await.unwrap(), by_hand.get("ada").await.unwrap()), (None, None));
    assert_eq!(format!("{caches:?}").matches("└ L1").count(), 2, "{caches:?}");
}

#[tokio::test]
async fn shutdown_drains_all_queues_at_the_same_time() {
    let caches = with(&[]);
    let stores = [FakeBytes::new(), FakeBytes::new()];
    let gates = stores.each_ref().map(|store| store.gate(larder::Operation::Write).clone());
    for (store, name) in stores.iter().zip(["a", "b"]) {
        store.gate(larder::Operation::Write).close();
        let cache: Cache<str, u32, _, _> = Cache::new(store.clone()).codec(Json).write(Behind::default());
        caches.add(name, &cache).unwrap();
        cache.insert("ada", 36).await.unwrap();
    }
    let shutdown = tokio::spawn({
        let caches = caches.clone();
        async move { caches.shutdown().await }
    });
    // Neither has ended before the other has begun.
    for gate in &gates {
        gate.reached(1).await;
    }
    gates.iter().for_each(larder_testkit::Gate::open);
    shutdown.await.unwrap().unwrap();
    assert_eq!(stores.each_ref().map(|store| store.keys().len()), [1, 1]);
}

#[tokio::test]
async fn a_failure_says_whose_it_is_and_keeps_nothing_from_the_others() {
    let caches = with(&[]);
    let store = FakeBytes::new();
    let failing: Cache<str, u32, _, _> = Cache::new(store.clone()).codec(Json);
    caches.add("a", &failing).unwrap();
    let good = ages(&caches, "b", CacheSettings::new()).await.unwrap();
    good.insert("ada", 36).await.unwrap();
    store.fail(&[larder::Operation::Clear]);
    let error = caches.clear().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("cache `a`")), (ErrorKind::Store, true), "{error}");
    assert_eq!(good.get("ada").await.unwrap(), None);
}

#[test]
fn pausing_what_is_not_there_is_an_error() {
    let caches = with(&[]);
    drop(caches.memory::<u64, u64>("squares", CacheSettings::new()).unwrap());
    let error = text(&caches.pause_reads("sqares").unwrap_err());
    assert!(error.contains("there is no cache `sqares`; there are `squares`"), "{error}");
    text(&caches.resume_writes("sqares").unwrap_err());
}

#[test]
fn an_added_cache_takes_nothing_but_enabled_from_outside() {
    let caches = with(&[("LARDER_SESSIONS_TTL", "5s")]);
    let sessions = Cache::new(Memory::<str, u32>::new(10));
    let error = text(&caches.add("sessions", &sessions).unwrap_err());
    assert!(error.contains("takes no `ttl` from outside (`LARDER_SESSIONS_TTL`), only `enabled`"), "{error}");
}

#[tokio::test]
async fn configuring_changes_no_cache_that_is_there() {
    let caches = Caches::default();
    let said = || CacheSettings::new().ttl(secs(60));
    drop(ages(&caches, "ages", said()).await.unwrap());
    drop(caches.memory::<u64, u64>("squares", CacheSettings::new()).unwrap());
    let error = Settings::from_vars([("LARDER_AGES_TTL", "5s"), ("LARDER_OTHERS_TTL", "5s")]).unwrap();
    let error = text(&caches.configure(error).unwrap_err());
    assert!(error.contains("`ages`") && !error.contains("`squares`"), "{error}");
    assert_eq!(caches.unused_settings(), [""; 0]);
    // What changes none of them is taken.
    let same = [("LARDER_AGES_TTL", "1m"), ("LARDER_AGES_STALE", "none"), ("LARDER_OTHERS_TTL", "5s")];
    let same = Settings::from_vars(same).unwrap();
    caches.configure(same).unwrap();
    assert_eq!(caches.unused_settings(), ["LARDER_OTHERS_TTL"]);
    drop(ages(&caches, "ages", said()).await.unwrap());
}

#[test]
fn keys_of_a_cache_in_memory_need_no_text() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Point(i32, i32);

    let caches = with(&[("LARDER_POINTS_CAPACITY", "7")]);
    let points = caches.memory::<Point, Arc<str>>("points", CacheSettings::new()).unwrap();
    points.blocking().insert(&Point(1, 2), "here".into()).unwrap();
    assert_eq!(points.get_now(&Point(1, 2)).as_deref(), Some("here"));
    assert_eq!(points.stats().levels[0].usage.unwrap().capacity, Some(7));
}
