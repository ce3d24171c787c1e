//! Caches that are turned off.

use super::{ages, text, with};
use larder::{CacheSettings, ErrorKind, prelude::*};
use larder_testkit::Loader;

#[tokio::test]
async fn a_cache_that_is_off_loads_each_time_and_stores_nothing() {
    let off = [[("LARDER_ENABLED", "0")], [("LARDER_AGES_ENABLED", "off")]];
    for variables in &off {
        let ages = ages(&with(variables), "ages", CacheSettings::new().enabled(true)).await.unwrap();
        let loader: Loader<u32> = Loader::value(36).then_value(37);
        assert_eq!(ages.get_or_load("ada", loader.load()).await.unwrap(), 36);
        assert_eq!(ages.get_or_load("ada", loader.load()).await.unwrap(), 37);
        ages.insert("ada", 38).await.unwrap();
        assert_eq!(ages.get("ada").await.unwrap(), None);
        assert_eq!(ages.stats().levels[0].usage.unwrap().entries, 0);
    }
}

#[tokio::test]
async fn all_off_comes_before_one_on_and_all_on_does_not_come_before_one_off() {
    let caches = with(&[("LARDER_ENABLED", "no"), ("LARDER_AGES_ENABLED", "yes")]);
    assert!(!ages(&caches, "ages", CacheSettings::new()).await.unwrap().is_reading());
    let caches = with(&[("LARDER_ENABLED", "yes"), ("LARDER_AGES_ENABLED", "no")]);
    assert!(!ages(&caches, "ages", CacheSettings::new()).await.unwrap().is_writing());
}

#[tokio::test]
async fn all_forms_of_caches_can_be_off() {
    let caches = with(&[("LARDER_ENABLED", "no")]);
    let memory = caches.memory::<u64, u64>("memory", CacheSettings::new()).unwrap();
    let by_hand = Cache::new(Memory::<str, u32>::new(10));
    caches.add("by_hand", &by_hand).unwrap();
    assert!(!memory.is_reading() && !memory.is_writing());
    assert!(!by_hand.is_reading() && !by_hand.is_writing());
}

#[tokio::test]
async fn a_cache_that_is_off_wants_no_store_that_is_out_of_reach() {
    let said = || CacheSettings::new().url("file:///dev/null/nowhere");
    let error = ages(&with(&[]), "ages", said()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(
        error
            .to_string()
            .contains("the store of the cache `ages` cannot be opened (its address: said by the code)"),
        "{error}"
    );

    let ages_off = ages(&with(&[("LARDER_ENABLED", "no")]), "ages", said()).await.unwrap();
    assert_eq!(ages_off.stats().levels.len(), 1);
    let wrong = CacheSettings::new().url("rodis://cache");
    text(&ages(&with(&[("LARDER_ENABLED", "no")]), "ages", wrong).await.unwrap_err());
}

#[tokio::test]
async fn a_removal_reaches_the_store_of_a_cache_that_is_off() {
    let caches = with(&[("LARDER_AGES_ENABLED", "no"), ("LARDER_AGES_URL", "memory:///")]);
    let ages = ages(&caches, "ages", CacheSettings::new()).await.unwrap();
    caches.resume_reads("ages").unwrap();
    caches.resume_writes("ages").unwrap();
    ages.insert("ada", 36).await.unwrap();
    caches.pause_reads("ages").unwrap();
    caches.pause_writes("ages").unwrap();
    ages.remove("ada").await.unwrap();
    caches.resume_reads("ages").unwrap();
    assert_eq!(ages.get("ada").await.unwrap(), None);
}
