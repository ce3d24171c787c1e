//! Handles that say something for all their calls.

use super::*;

#[tokio::test]
async fn what_is_said_of_entries_counts_for_inserts_and_loads_and_for_this_handle() {
    for (cache, _clock) in in_all_forms() {
        let brief = cache.with(|call| call.ttl(5 * SECOND)).with(|call| call.stale(SECOND).tag("brief"));
        brief.insert("ada", "!".into()).await.unwrap();
        brief.get_or_load("bob", Script::value("!".into()).load()).await.unwrap();
        brief.insert_with("eve", "!".into(), |entry| entry.tag("own").stale_if_error(SECOND)).await.unwrap();
        for key in ["ada", "bob", "eve"] {
            let found = cache.lookup(key).await.unwrap().unwrap();
            let window = found.entry().stale_until().since(found.entry().fresh_until());
            assert_eq!((found.ttl_left(), window), (Some(5 * SECOND), SECOND), "{key}");
            assert!(found.tags().iter().any(|tag| &**tag == "brief"));
        }
        assert_eq!(cache.lookup("eve").await.unwrap().unwrap().tags().len(), 2);
        cache.insert("ada", "!".into()).await.unwrap();
        assert_eq!(cache.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(60 * SECOND));
    }
}

#[tokio::test]
async fn what_was_said_stays_said_through_combinators() {
    let clock = MockClock::new();
    let cache = Cache::<str, Bytes, _, _>::new(FakeBytes::new()).with(|call| call.ttl(5 * SECOND));
    let cache = cache.namespace("texts").max_value_bytes(1_000).codec(larder_core::Raw).clock(clock.clone());
    let chained = cache.chain(Cache::new(FakeBytes::new())).ttl(60 * SECOND).name("texts").boxed();
    chained.insert("ada", "!".into()).await.unwrap();
    assert_eq!(chained.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(5 * SECOND));
}

#[test]
#[should_panic(expected = "say it after `.chain`")]
fn what_calls_ask_for_is_refused_on_the_right_side_of_the_wall() {
    let back = Cache::new(Fake::<str, u32>::new()).with(CallOptions::force_refresh);
    drop(Cache::new(Fake::<str, u32>::new()).chain(back));
}

// FusionCache 121.
#[tokio::test]
async fn each_answer_is_counted_once() {
    let (cache, clock) = in_all_forms().remove(0);
    let counts = || {
        let stats = cache.stats();
        let level = &stats.levels[0];
        (level.fresh_hits, level.stale_hits, level.misses, stats.joins, stats.covered)
    };
    cache.get("ada").await.unwrap();
    assert_eq!(counts(), (0, 0, 1, 0, 0));
    cache.get_or_load("ada", Script::value("!".into()).load()).await.unwrap();
    assert_eq!(counts(), (0, 0, 2, 0, 0));
    cache.with(|call| call.max_age(SECOND)).get("ada").await.unwrap();
    assert_eq!(counts(), (1, 0, 2, 0, 0));
    clock.advance(60 * SECOND);
    cache.get("ada").await.unwrap();
    assert_eq!(counts(), (1, 1, 2, 0, 0));
    cache.with(|call| call.max_age(SECOND)).get("ada").await.unwrap();
    assert_eq!(counts(), (1, 1, 3, 0, 0));
    clock.advance(30 * SECOND);
    for covered in 1..=2 {
        cache.get_or_load("ada", Script::failing("down").load()).await.unwrap();
        assert_eq!(counts(), (1, 1, 3 + covered, 0, 1), "the second is not tried");
    }
}
