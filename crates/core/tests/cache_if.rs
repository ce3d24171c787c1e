//! Not every value is stored.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Holds, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

macro_rules! in_all_forms {
    ($name:ident, |$cache:ident, $clock:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check<S, C>($cache: Cache<str, Bytes, S, C>, $clock: MockClock)
            where
                S: Send + Sync + 'static,
                C: Holds<S, str, Bytes>,
            {
                let $cache = $cache
                    .ttl(60 * SECOND)
                    .stale(30 * SECOND)
                    .cache_if(|value| !value.is_empty())
                    .clock($clock.clone());
                $body
            }

            #[tokio::test]
            async fn in_memory() {
                check(Cache::new(Fake::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_bytes() {
                check(Cache::new(FakeBytes::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_boxed_chain() {
                let cache = Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new()));
                check(cache.boxed(), MockClock::new()).await;
            }
        }
    };
}

in_all_forms!(a_loaded_value_that_is_vetoed_goes_to_its_callers_and_nowhere_else, |cache, _clock| {
    let loader: Loader<Bytes> = Loader::value(Bytes::new()).then_value("hits".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "");
    assert!(!cache.contains("ada").await.unwrap());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "hits");
    assert_eq!(cache.get("ada").await.unwrap(), Some("hits".into()));
});

in_all_forms!(a_reload_that_is_vetoed_leaves_what_is_there, |cache, clock| {
    cache.insert("ada", "hits".into()).await.unwrap();
    clock.advance(60 * SECOND);
    let loader: Loader<Bytes> = Loader::value(Bytes::new());
    // Served at once; or, where a store is waited for, what was loaded meanwhile.
    cache.get_or_load("ada", loader.load()).await.unwrap();
    settle().await;
    assert_eq!(loader.loads(), 1);
    assert_eq!(cache.get("ada").await.unwrap(), Some("hits".into()));
});

in_all_forms!(an_inserted_value_that_is_vetoed_removes_what_it_was_to_replace, |cache, _clock| {
    cache.insert("ada", "hits".into()).await.unwrap();
    cache.insert("ada", Bytes::new()).await.unwrap();
    assert!(!cache.contains("ada").await.unwrap());
});

in_all_forms!(an_insert_that_is_vetoed_overtakes_a_load_all_the_same, |cache, _clock| {
    let loader: Loader<Bytes> = Loader::value("old".into()).gated();
    let load = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    loader.gate().reached(1).await;
    cache.insert("ada", Bytes::new()).await.unwrap();
    loader.gate().open();
    assert_eq!(load.await.unwrap(), "old");
    assert!(!cache.contains("ada").await.unwrap());
});

in_all_forms!(the_last_rule_counts, |cache, _clock| {
    let cache = cache.cache_if(|value| value != "secret");
    cache.insert("ada", Bytes::new()).await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), Some(Bytes::new()));
    cache.insert("ada", "secret".into()).await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), None);
});

#[tokio::test]
async fn a_rule_that_panics_leaves_callers_their_value_and_stores_nothing() {
    let store = Fake::<str, Bytes>::new();
    let cache = Cache::new(store.clone()).cache_if(|_| panic!("a bug"));
    assert_eq!(cache.get_or_load("ada", Loader::<Bytes>::value("ada".into()).load()).await.unwrap(), "ada");
    assert_eq!((store.count(Operation::Write), cache.stats().load_failures), (0, 0));
}
