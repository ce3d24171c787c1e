//! Keys that the source has not.

use super::source::{Source, text};
use super::{MILLI, SECOND, ask, cache, texts_of};
use larder_core::{Cache, Operation};
use larder_testkit::{Fake, MockClock, settle};
use std::time::Duration;

#[tokio::test]
async fn what_the_source_has_not_is_absent_and_asked_for_again() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock)).boxed();
    for round in 1..=2 {
        let asked = ask(&texts, [5, 5_000]);
        clock.run(MILLI).await;
        assert_eq!(texts_of(asked).await, [Some(text(5, 0)), None]);
        assert_eq!(source.asked().len(), round);
    }
    assert_eq!(source.asked()[1], [5_000]);
    assert_eq!(texts.get_now(&5_000), None, "nothing is stored");
}

#[tokio::test]
async fn absence_is_remembered_where_that_was_said() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock).negative(5 * SECOND)).boxed();
    let asked = ask(&texts, [5_000]);
    clock.run(MILLI).await;
    assert_eq!(texts_of(asked).await, [None]);
    assert_eq!(texts.get_now(&5_000), Some(None));
    clock.run(5 * SECOND).await;
    assert_eq!(texts.get_now(&5_000), None);
}

// otter v2: a reload that finds nothing removes the entry.
#[tokio::test]
async fn what_is_gone_from_the_source_is_gone_from_the_cache_after_a_reload() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock)).window(Duration::ZERO).boxed();
    texts.insert(&5_000, Some("old".into())).await.unwrap();
    assert_eq!(texts.get(&5_000).await.unwrap().as_deref(), Some("old"));
    assert_eq!(texts.refresh(&5_000).await.unwrap(), None);
    assert_eq!(texts.get_now(&5_000), None);
}

#[tokio::test]
async fn a_stale_value_that_is_gone_from_the_source_is_served_once_more_and_then_gone() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock).stale(60 * SECOND)).window(Duration::ZERO).boxed();
    texts.insert(&5_000, Some("old".into())).await.unwrap();
    clock.run(60 * SECOND).await;
    assert_eq!(texts.get(&5_000).await.unwrap().as_deref(), Some("old"));
    settle().await;
    assert_eq!(texts.get(&5_000).await.unwrap(), None);
}

#[tokio::test]
async fn absence_costs_the_store_no_removal_where_nothing_was_there() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let store = Fake::<u32, Option<String>>::remote();
    let texts = source.loads(Cache::new(store.clone()).clock(clock.clone())).window(Duration::ZERO).boxed();
    assert_eq!(texts.get(&5_000).await.unwrap(), None);
    assert_eq!(store.calls(), [Operation::Read]);
}
