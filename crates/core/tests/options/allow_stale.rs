//! `allow_stale`: reads that take what is kept for failures. FusionCache 32, 33.

use super::*;

#[tokio::test]
async fn what_is_kept_for_failures_is_read_where_that_is_allowed_and_not_stored_again() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", "kept".into()).await.unwrap();
        clock.advance(90 * SECOND);
        let writes = cache.stats().levels[0].writes;
        let allowed = cache.with(CallOptions::allow_stale);
        assert_eq!(cache.get("ada").await.unwrap(), None);
        assert!(!cache.contains("ada").await.unwrap());
        for _ in 0..2 {
            assert_eq!(allowed.get("ada").await.unwrap(), Some("kept".into()));
            assert!(allowed.contains("ada").await.unwrap());
            let found = allowed.lookup("ada").await.unwrap().unwrap();
            assert_eq!((found.freshness(), found.ttl_left()), (Freshness::Kept, Some(Duration::ZERO)));
        }
        assert_eq!(cache.stats().levels[0].writes, writes);
        assert_eq!((cache.stats().hits(), cache.stats().misses()), (0, 5));
        clock.advance(1_000 * SECOND);
        assert_eq!(allowed.get("ada").await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_memory_keeps_is_at_hand_without_waiting_where_that_is_allowed() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert("ada", "kept".into()).await.unwrap();
    clock.advance(90 * SECOND);
    assert_eq!(cache.get_now("ada"), None);
    assert_eq!(cache.with(CallOptions::allow_stale).get_now("ada"), Some("kept".into()));
}

#[tokio::test]
async fn a_fresh_entry_behind_goes_before_what_is_kept_in_front_and_that_before_what_is_kept_behind() {
    let two = two_levels();
    let (front, back) =
        (two.cache.with(|call| call.skip_write(1)), two.cache.with(|call| call.skip_write(0)));
    let allowed = two.cache.with(CallOptions::allow_stale);
    back.insert("ada", "behind".into()).await.unwrap();
    front.insert("ada", "in front".into()).await.unwrap();
    two.clock.advance(90 * SECOND);
    let found = allowed.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.level(), &found.value()[..]), (0, &b"in front"[..]));
    assert_eq!(allowed.with(|call| call.skip_read(0)).get("ada").await.unwrap(), Some("behind".into()));

    back.insert("ada", "fresh".into()).await.unwrap();
    assert_eq!(allowed.get("ada").await.unwrap(), Some("fresh".into()));
}

#[tokio::test]
async fn a_call_with_a_loader_loads_all_the_same() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert("ada", "kept".into()).await.unwrap();
    clock.advance(90 * SECOND);
    let allowed = cache.with(CallOptions::allow_stale);
    assert_eq!(allowed.get_or_load("ada", Script::value("new".into()).load()).await.unwrap(), "new");
}
