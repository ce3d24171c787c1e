//! Answers that nobody asked for.

use super::source::{Source, text};
use super::{MILLI, SECOND, Texts, ask, cache, texts_of};
use larder_core::{Cache, load};
use larder_testkit::{Fake, MockClock, settle};
use std::time::Duration;

fn extra(source: &Source, clock: &MockClock) -> Texts {
    source.loads(cache(clock)).max_batch(1).keep_extra().boxed()
}

#[tokio::test]
async fn they_are_dropped_unless_somebody_wants_them() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.adds([7, 8]);
    let dropped = source.loads(cache(&clock)).max_batch(1).boxed();
    texts_of(ask(&dropped, [1])).await;
    settle().await;
    assert_eq!((dropped.get_now(&7), dropped.get_now(&1)), (None, Some(Some(text(1, 0)))));

    let kept = extra(&source, &clock);
    texts_of(ask(&kept, [1])).await;
    settle().await;
    assert_eq!((kept.get_now(&7), kept.get_now(&8)), (Some(Some(text(7, 0))), Some(Some(text(8, 0)))));
    texts_of(ask(&kept, [7])).await;
    assert_eq!(source.asked().len(), 2, "of both caches");
}

#[tokio::test]
async fn they_live_from_when_their_call_began_and_carry_what_it_said() {
    let clock = MockClock::new();
    let tagged = Cache::new(Fake::<u32, Option<u32>>::new())
        .clock(clock.clone())
        .ttl(60 * SECOND)
        .batch_loader({
            let clock = clock.clone();
            move |_| {
                let clock = clock.clone();
                async move {
                    load::depends_on("page");
                    larder_core::Clock::sleep(&clock, SECOND).await;
                    Ok::<_, String>((1..=3).map(|key| (key, key)))
                }
            }
        })
        .max_batch(1)
        .keep_extra()
        .boxed();
    let one = tokio::spawn({
        let tagged = tagged.clone();
        async move { tagged.get(&1).await }
    });
    clock.run(SECOND).await;
    one.await.unwrap().unwrap();
    settle().await;
    assert_eq!(tagged.lookup(&3).await.unwrap().unwrap().ttl_left(), Some(59 * SECOND));
    tagged.invalidate_tag("page").await.unwrap();
    assert_eq!(tagged.get_now(&3), None);
}

#[tokio::test]
async fn what_was_changed_since_the_call_began_stays_as_it_is() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.adds([7, 8, 9]);
    source.gate().close();
    let texts = extra(&source, &clock);
    texts.insert(&9, Some("before".into())).await.unwrap();
    let asked = ask(&texts, [1]);
    source.gate().reached(1).await;
    texts.insert(&7, Some("newer".into())).await.unwrap();
    texts.remove(&8).await.unwrap();
    source.gate().open();
    texts_of(asked).await;
    settle().await;
    assert_eq!(texts.get_now(&7), Some(Some("newer".into())));
    assert_eq!(texts.get_now(&8), None);
    assert_eq!(texts.get_now(&9), Some(Some(text(9, 0))), "what it was before the call is older");
}

#[tokio::test]
async fn what_was_cleared_or_invalidated_since_the_call_began_does_not_come_back() {
    for clears in [true, false] {
        let clock = MockClock::new();
        let source = Source::new(&clock, Duration::ZERO);
        source.adds([7]);
        source.gate().close();
        let tagged = cache(&clock).tags(|_: &u32, _: &Option<String>| ["text"]);
        let texts = source.loads(tagged).max_batch(1).keep_extra().boxed();
        let asked = ask(&texts, [1]);
        source.gate().reached(1).await;
        if clears {
            texts.clear().await.unwrap();
        } else {
            texts.invalidate_tag("text").await.unwrap();
        }
        source.gate().open();
        texts_of(asked).await;
        settle().await;
        assert_eq!(texts.get_now(&7), None, "cleared: {clears}");
    }
}

#[tokio::test]
async fn what_a_newer_load_has_stored_stays_as_it_is() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.adds([7]);
    source.gate().close();
    let texts = extra(&source, &clock);
    let older = ask(&texts, [1]);
    source.gate().reached(1).await;
    clock.run(MILLI).await;
    source.changes();
    let newer = ask(&texts, [7]);
    source.gate().reached(2).await;
    // The newer one ends first.
    source.gate().open();
    assert_eq!(texts_of(newer).await, [Some(text(7, 1))]);
    texts_of(older).await;
    settle().await;
    assert_eq!(texts.get_now(&7), Some(Some(text(7, 1))));
}

#[tokio::test]
async fn they_reach_every_level() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.adds([7]);
    let back = Fake::<u32, Option<String>>::remote();
    let over = || cache(&clock).chain(Cache::new(back.clone())).clock(clock.clone());
    texts_of(ask(&source.loads(over()).max_batch(1).keep_extra().boxed(), [1])).await;
    settle().await;
    assert_eq!(over().get(&7).await.unwrap(), Some(Some(text(7, 0))));
}
