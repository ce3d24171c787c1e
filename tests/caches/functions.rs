//! The caches of functions, which have nobody to return an error to.

use super::with;
use larder::{CacheSettings, prelude::*};

#[tokio::test]
async fn what_is_said_from_outside_comes_before_what_the_code_says() {
    let caches = with(&[("LARDER_APP_SQUARE_TTL", "5s")]);
    let squares = caches.function::<u64, u64>("app::square", CacheSettings::new().ttl(hours(1)));

    squares.insert(&3, 9).await.unwrap();
    assert!(squares.lookup(&3).await.unwrap().unwrap().ttl_left() <= Some(secs(5)));
    assert!(caches.problems().is_empty() && caches.unused_settings().is_empty());
}

#[tokio::test]
async fn what_cannot_be_used_is_left_out_and_told() {
    let caches = with(&[
        ("LARDER_APP_SQUARE_URL", "redis://:hunter2@cache"),
        ("LARDER_APP_SQUARE_TTL", "5s"),
        ("LARDER_APP_CUBE_TLL", "5s"),
    ]);
    let squares = caches.function::<u64, u64>("app::square", CacheSettings::new());
    let _cubes = caches.function::<u64, u64>("app::cube", CacheSettings::new());

    squares.insert(&3, 9).await.unwrap();
    assert!(squares.lookup(&3).await.unwrap().unwrap().ttl_left() <= Some(secs(5)), "the rest counts");
    let told: Vec<String> = caches.problems().iter().map(ToString::to_string).collect();
    assert!(told[0].contains("`LARDER_APP_SQUARE_URL`") && told[0].contains("`cache = ..`"), "{told:?}");
    assert!(!told[0].contains("hunter2"));
    assert!(told[1].contains("`LARDER_APP_CUBE_TLL`"), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[test]
fn a_name_that_is_taken_is_another_cache_all_the_same() {
    let caches = with(&[]);
    let _said = caches.memory::<u64, u64>("app::square", CacheSettings::new()).unwrap();
    let one = caches.function::<u64, u64>("app::square", CacheSettings::new());
    let other = caches.function::<u64, u64>("app.square", CacheSettings::new());

    one.blocking().insert(&3, 9).unwrap();
    assert_eq!(other.get_now(&3), None);
    assert_eq!(caches.names(), ["app.square (3)", "app::square", "app::square (2)"]);
}

#[test]
fn all_of_them_are_turned_off_at_once() {
    let caches = with(&[("LARDER_ENABLED", "no"), ("LARDER_APP_SQUARE_TLL", "5s")]);
    let squares = caches.function::<u64, u64>("app::square", CacheSettings::new());

    assert!(!squares.is_reading() && !squares.is_writing());
}
