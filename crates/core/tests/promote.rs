//! `.promote(p)`: which hits behind a level are copied into it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Promote};
use larder_testkit::{Fake, Loader};

type Front = Fake<str, Bytes>;

fn two_levels(promote: Promote) -> (Front, Cache<str, Bytes>, Cache<str, Bytes>) {
    let front = Fake::new();
    let back = Cache::new(Fake::remote());
    let cache = Cache::new(front.clone()).promote(promote).chain(back.clone());
    (front, cache.boxed(), back.boxed())
}

#[tokio::test]
async fn a_level_that_takes_no_copies_is_still_written_by_inserts_and_loads() {
    let (front, cache, back) = two_levels(Promote::Never);
    back.insert("ada", "countess".into()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
        let loader: Loader<Bytes> = Loader::value("never".into());
        assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
    }
    assert!(front.is_empty());

    let loader: Loader<Bytes> = Loader::value("clerk".into());
    cache.get_or_load("bob", loader.load()).await.unwrap();
    cache.insert("eve", "spy".into()).await.unwrap();
    assert_eq!(front.len(), 2);
}

#[tokio::test]
async fn each_nth_hit_behind_is_copied_whatever_its_key() {
    let (front, cache, back) = two_levels(Promote::EveryNth(3));
    let keys = ["1", "2", "3", "4", "5", "6"];
    for key in keys {
        back.insert(key, key.into()).await.unwrap();
    }
    // Another policy is the same level.
    let other = cache.clone().ttl(std::time::Duration::from_secs(9));
    for (number, key) in keys.iter().enumerate() {
        let handle = if number % 2 == 0 { &cache } else { &other };
        assert_eq!(handle.get(key).await.unwrap(), Some(Bytes::from(*key)));
    }
    assert_eq!(front.len(), 2);
    assert_eq!((cache.get_now("3"), cache.get_now("6")), (Some("3".into()), Some("6".into())));
}

#[tokio::test]
async fn the_decision_moves_into_a_chain_with_its_level() {
    let (front, middle) = (Front::new(), Front::remote());
    let last = Cache::new(Front::remote());
    let cache = Cache::new(front.clone())
        .chain(Cache::new(middle.clone()).promote(Promote::Never).chain(last.clone()));
    last.insert("ada", "countess".into()).await.unwrap();
    cache.get("ada").await.unwrap();
    assert_eq!((front.len(), middle.len()), (1, 0));
}

#[test]
#[should_panic(expected = "each 0-th hit is none")]
fn each_0th_is_refused() {
    drop(Cache::new(Front::new()).promote(Promote::EveryNth(0)));
}

#[tokio::test]
async fn a_value_that_is_found_below_reaches_its_reader_though_its_copying_panics() {
    let back = Cache::new(Fake::remote());
    back.insert("ada", Bytes::from("countess")).await.unwrap();
    let front = Cache::new(Front::new()).ttl_with(|_, _| panic!("no life for this"));
    let cache: Cache<str, Bytes> = front.chain(back).boxed();
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    let loaded = cache.get_or_load("ada", async || Err("not asked")).await;
    assert_eq!(loaded.unwrap(), "countess");
}
