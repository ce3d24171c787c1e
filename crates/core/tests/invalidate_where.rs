//! `invalidate_where`: what goes is said by a look at each entry.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::Json;
use larder_core::{Cache, ErrorKind};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Ages = Cache<str, u32>;

fn memory() -> Ages {
    Cache::new(Fake::new()).ttl(60 * SECOND).stale(60 * SECOND).clock(MockClock::new()).boxed()
}

async fn with_three(ages: &Ages) {
    for (name, age) in [("ada", 36), ("bob", 12), ("cleo", 9)] {
        ages.insert(name, age).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_condemned_goes_and_the_rest_stays() {
    let ages = memory();
    with_three(&ages).await;
    assert_eq!(ages.invalidate_where(|_, age| *age < 18).await.unwrap(), 2);
    assert_eq!(ages.invalidate_where(|name, _| name == "bob").await.unwrap(), 0);
    assert_eq!((ages.get("ada").await.unwrap(), ages.get("bob").await.unwrap()), (Some(36), None));
    assert_eq!(ages.get("cleo").await.unwrap(), None);
}

#[tokio::test]
async fn a_load_that_was_under_way_is_not_stored() {
    let ages = memory();
    let loader: Loader<u32> = Loader::value(12).gated();
    let (users, load) = (ages.clone(), loader.load());
    let early = tokio::spawn(async move { users.get_or_load("bob", load).await.unwrap() });
    settle().await;
    assert_eq!(ages.invalidate_where(|_, age| *age < 18).await.unwrap(), 0);
    loader.gate().open();
    assert_eq!(early.await.unwrap(), 12, "who waited for it gets it");
    assert_eq!(ages.get("bob").await.unwrap(), None);
}

#[tokio::test]
async fn stale_entries_go_too() {
    let clock = MockClock::new();
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(SECOND).stale(60 * SECOND).clock(clock.clone());
    ages.insert("bob", 12).await.unwrap();
    clock.advance(2 * SECOND);
    assert_eq!(ages.get("bob").await.unwrap(), Some(12));
    assert_eq!(ages.invalidate_where(|_, _| true).await.unwrap(), 1);
    assert_eq!(ages.get("bob").await.unwrap(), None);
}

#[tokio::test]
async fn a_level_that_is_no_memory_refuses_and_can_be_left_out() {
    let bytes = FakeBytes::new();
    let ages = Cache::new(Fake::<str, u32>::new()).chain(Cache::new(bytes.clone()).codec(Json)).boxed();
    with_three(&ages).await;
    let refused = ages.invalidate_where(|_, _| true).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("`skip_level`"), "{refused}");
    assert_eq!(ages.get_now("ada"), Some(36), "nothing was removed");

    let near = ages.with(|call| call.skip_level(1));
    assert_eq!(near.invalidate_where(|_, age| *age < 18).await.unwrap(), 2);
    assert_eq!((ages.get_now("ada"), ages.get_now("bob")), (Some(36), None));
    assert_eq!(ages.get("bob").await.unwrap(), Some(12), "the other level has it");
}

#[tokio::test]
async fn a_condition_that_panics_leaves_the_cache_in_order() {
    let ages = memory();
    with_three(&ages).await;
    let users = ages.clone();
    let panicking = tokio::spawn(async move { users.invalidate_where(|_, _| panic!("no")).await });
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(ages.invalidate_where(|_, age| *age < 18).await.unwrap(), 2);
    ages.insert("bob", 18).await.unwrap();
    assert_eq!(ages.get("bob").await.unwrap(), Some(18));
}

#[tokio::test]
async fn a_condition_may_use_the_cache() {
    let ages = memory();
    with_three(&ages).await;
    let users = ages.clone();
    let removed = ages.invalidate_where(move |name, age| users.get_now(name) == Some(*age) && *age > 18);
    assert_eq!(removed.await.unwrap(), 1);
}
