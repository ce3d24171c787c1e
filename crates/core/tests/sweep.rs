//! Promise 8: expired entries are freed without being read.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::Cache;
use larder_testkit::{Fake, MockClock};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_has_expired_is_freed_when_the_clock_moves() {
    let (clock, front, back) = (MockClock::new(), Fake::<u64, u64>::new(), Fake::<u64, u64>::new());
    let cache = Cache::new(front.clone())
        .ttl(10 * SECOND)
        .chain(Cache::new(back.clone()).ttl(60 * SECOND).stale(10 * SECOND))
        .clock(clock.clone());
    for key in 0..100 {
        cache.insert(&key, key).await.unwrap();
    }
    clock.advance(9 * SECOND);
    assert_eq!((front.len(), back.len()), (100, 100));
    clock.advance(SECOND);
    assert_eq!((front.len(), back.len()), (0, 100));
    clock.advance(59 * SECOND);
    assert_eq!(back.len(), 100, "what is stale can still be served");
    clock.advance(SECOND);
    assert_eq!(back.len(), 0);
}

#[tokio::test]
async fn a_cache_that_was_dropped_is_swept_no_more() {
    let (clock, store) = (MockClock::new(), Fake::<u64, u64>::new());
    let cache = Cache::new(store.clone()).ttl(SECOND).clock(clock.clone());
    cache.insert(&1, 1).await.unwrap();
    drop(cache);
    clock.advance(10 * SECOND);
    assert_eq!(store.len(), 1);
}
