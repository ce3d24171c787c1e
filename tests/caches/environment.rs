//! What variables say.

use super::{ages, text, with};
use larder::{CacheSettings, Caches, Settings, prelude::*};
use larder_testkit::MockClock;
use std::ffi::OsString;
use std::time::Duration;

#[tokio::test]
async fn variables_come_before_what_the_code_says() {
    let clock = MockClock::new();
    let caches = with(&[("LARDER_AGES_TTL", "2m"), ("LARDER_AGES_STALE", "10s")]).clock(clock.clone());
    let ages = ages(&caches, "ages", CacheSettings::new().ttl(secs(5)).capacity(50)).await.unwrap();
    ages.insert("ada", 36).await.unwrap();
    assert_eq!(ages.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(minutes(2)));
    assert_eq!(ages.stats().levels[0].usage.unwrap().capacity, Some(50));
    clock.advance(minutes(2) + secs(9));
    assert_eq!(ages.get("ada").await.unwrap(), Some(36));
    clock.advance(secs(1));
    assert_eq!(ages.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn none_takes_away_what_the_code_says() {
    let caches = with(&[("LARDER_AGES_TTL", "none"), ("LARDER_AGES_URL", "none")]);
    let ages = ages(&caches, "ages", CacheSettings::new().ttl(secs(5)).url("memory:///")).await.unwrap();
    ages.insert("ada", 36).await.unwrap();
    assert_eq!(ages.lookup("ada").await.unwrap().unwrap().ttl_left(), None);
    assert_eq!(ages.stats().levels.len(), 1);
}

#[tokio::test]
async fn every_setting_can_be_said() {
    let caches = with(&[
        ("LARDER_ENABLED", "yes"),
        ("LARDER_NAMESPACE_PREFIX", "staging"),
        ("LARDER_AGES_ENABLED", "ON"),
        ("LARDER_AGES_TTL", "1h30m"),
        ("LARDER_AGES_STALE", "0"),
        ("LARDER_AGES_STALE_IF_ERROR", "1d"),
        ("LARDER_AGES_RETRY_AFTER", "5s"),
        ("LARDER_AGES_JITTER", "0"),
        ("LARDER_AGES_SOFT_TIMEOUT", "200ms"),
        ("LARDER_AGES_HARD_TIMEOUT", "2s"),
        ("LARDER_AGES_REFRESH_AHEAD", "0.8"),
        ("LARDER_AGES_CAPACITY", "500"),
        ("LARDER_AGES_URL", "memory:///"),
        ("LARDER_AGES_NAMESPACE", "people"),
        ("LARDER_AGES_LEVEL_TIMEOUT", "300ms"),
    ]);
    let ages = ages(&caches, "ages", CacheSettings::new()).await.unwrap();
    assert!(ages.is_reading() && ages.is_writing());
    assert_eq!(format!("{ages:?}"), "Cache ages\n├ L1 Memory\n└ L2 Object, Json, namespace staging.people");
    ages.insert("ada", 36).await.unwrap();
    let left = ages.lookup("ada").await.unwrap().unwrap().ttl_left().unwrap();
    assert!(left > minutes(89) && left <= minutes(90), "{left:?}");
    assert_eq!(caches.unused_settings(), [""; 0]);
}

#[tokio::test]
async fn a_store_behind_outlives_the_memory() {
    let folder = std::env::temp_dir().join(format!("larder-caches-{}", std::process::id()));
    let url = format!("file://{}", folder.display());
    let caches = || with(&[("LARDER_AGES_URL", &url)]);
    let first = ages(&caches(), "ages", CacheSettings::new()).await.unwrap();
    first.insert("ada", 36).await.unwrap();
    let second = ages(&caches(), "ages", CacheSettings::new()).await.unwrap();
    assert_eq!(second.get("ada").await.unwrap(), Some(36));
    let other = ages(&caches(), "ages", CacheSettings::new().namespace("other")).await.unwrap();
    assert_eq!(other.get("ada").await.unwrap(), None);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_bad_value_names_its_variable_and_what_is_right() {
    let wrong = [
        ("LARDER_ENABLED", "perhaps", "`LARDER_ENABLED` is `perhaps`; right is `true`"),
        ("LARDER_AGES_ENABLED", "", "`LARDER_AGES_ENABLED` is ``; right is `true`"),
        ("LARDER_AGES_TTL", "-5s", "`LARDER_AGES_TTL` is `-5s` (no span is negative); right is a span"),
        ("LARDER_AGES_JITTER", "2", "`LARDER_AGES_JITTER` is `2`; right is a number from 0"),
        ("LARDER_TTL", "5s", "`LARDER_TTL` is of no cache: a setting of one cache is `LARDER_<NAME>_TTL`"),
    ];
    for (name, value, part) in wrong {
        let error = text(&Settings::from_vars([(name, value)]).unwrap_err());
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_long_value_is_not_shown_in_full() {
    let error = text(&Settings::from_vars([("LARDER_AGES_TTL", "x".repeat(1_000))]).unwrap_err());
    assert!(error.contains("xxx..`") && error.len() < 400, "{error}");
}

#[tokio::test]
async fn an_address_is_shown_nowhere() {
    let rodis = with(&[("LARDER_AGES_URL", "rodis://:hunter2@cache")]);
    let refused = ages(&rodis, "ages", CacheSettings::new()).await.unwrap_err();
    let why =
        "the address of the cache `ages` (`LARDER_AGES_URL`) cannot be used: nobody knows the scheme `rodis`";
    assert!(text(&refused).contains(why), "{refused}");
    let elsewhere = Settings::from_vars([("LARDER_AGES_TTL", "redis://:hunter2@cache")]).unwrap_err();
    let folder = std::env::temp_dir().join(format!("larder-hunter2-{}", std::process::id()));
    let url = format!("file://{}", folder.display());
    let settings = Settings::from_vars([("LARDER_AGES_URL", url)]).unwrap();
    let said = CacheSettings::new().url("file:///dev/null/hunter2");
    let caches = Caches::new(settings.clone());
    drop(ages(&caches, "ages", CacheSettings::new()).await.unwrap());
    let conflict = ages(&caches, "ages", CacheSettings::new().ttl(secs(1))).await.unwrap_err();
    let unopened = ages(&caches, "others", said.clone()).await.unwrap_err();
    let shown = format!("{refused:?} {elsewhere:?} {settings:?} {said:?} {caches:?} {conflict:?} {unopened}");
    std::fs::remove_dir_all(folder).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[cfg(unix)]
#[test]
fn what_is_no_utf_8_is_an_error_in_our_names_only() {
    use std::os::unix::ffi::OsStringExt;

    let garbage = || OsString::from_vec(vec![0xff, 0xfe]);
    let others =
        [(OsString::from("PATH"), garbage()), (garbage(), garbage()), ("LARDER_LOG".into(), garbage())];
    assert_eq!(Settings::from_vars(others).unwrap(), Settings::from_vars([("LARDER_LOG", "1")]).unwrap());
    let error = Settings::from_vars([(OsString::from("LARDER_AGES_TTL"), garbage())]).unwrap_err();
    assert!(text(&error).contains("`LARDER_AGES_TTL` is no UTF-8"), "{error}");
}

#[tokio::test]
async fn a_variable_that_names_no_setting_is_an_error_when_its_cache_is_made() {
    let caches = with(&[("LARDER_AGES_TLL", "5s"), ("LARDER_LOG", "debug")]);
    drop(ages(&caches, "names", CacheSettings::new()).await.unwrap());
    let error = text(&ages(&caches, "ages", CacheSettings::new()).await.unwrap_err());
    assert!(
        error
            .contains("`LARDER_AGES_TLL` is no setting of the cache `ages`; there are `LARDER_AGES_ENABLED`"),
        "{error}"
    );
    let error = text(&caches.memory::<u64, u64>("ages", CacheSettings::new()).unwrap_err());
    assert!(error.contains("`LARDER_AGES_TLL`"), "{error}");
    assert_eq!(caches.unused_settings(), ["LARDER_AGES_TLL", "LARDER_LOG"]);
}

#[tokio::test]
async fn a_variable_of_a_cache_with_a_longer_name_is_no_mistake() {
    let caches = with(&[("LARDER_AGES_OF_CATS_TTL", "5s")]);
    drop(ages(&caches, "ages", CacheSettings::new()).await.unwrap());
    let cats = ages(&caches, "ages::of-cats", CacheSettings::new()).await.unwrap();
    cats.insert("tom", 3).await.unwrap();
    assert!(cats.lookup("tom").await.unwrap().unwrap().ttl_left() <= Some(Duration::from_secs(5)));
    assert_eq!(caches.unused_settings(), [""; 0]);
}

#[tokio::test]
async fn an_address_that_is_another_s_is_none_of_our_business() {
    let caches = with(&[("LARDER_TEST_URL", "http://localhost:5000")]);
    drop(ages(&caches, "ages", CacheSettings::new()).await.unwrap());
    assert_eq!(caches.unused_settings(), ["LARDER_TEST_URL"]);
    text(&caches.memory::<u64, u64>("test", CacheSettings::new()).unwrap_err());
}
