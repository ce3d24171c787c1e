//! What becomes of the others when a caller leaves, a call fails, a key is removed.

use super::source::{Source, text};
use super::{MILLI, SECOND, Texts, answers, ask, cache, texts_of};
use larder_core::LoadError;
use larder_testkit::{MockClock, settle};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

// async-cache Y-d3: one cancelled call ended the batch, and all later ones.
#[tokio::test]
async fn a_caller_that_goes_away_harms_no_other_neither_before_the_call_nor_in_it() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.gate().close();
    let texts = source.loads(cache(&clock)).boxed();
    for round in 0..2 {
        let keys = round * 10..round * 10 + 3;
        let asked = ask(&texts, keys.clone());
        settle().await;
        if round == 1 {
            clock.run(MILLI).await;
            assert_eq!(source.under_way(), 1);
        }
        asked[0].abort();
        clock.run(MILLI).await;
        source.gate().open();
        for (key, one) in keys.zip(asked).skip(1) {
            assert_eq!(one.await.unwrap().unwrap(), Some(text(key, 0)));
        }
        source.gate().close();
    }
    source.gate().open();
    let asked = ask(&texts, [50]);
    clock.run(MILLI).await;
    assert_eq!(texts_of(asked).await, [Some(text(50, 0))], "later ones go on");
}

/// A load inside its caller goes with it: who is left of the batch is loaded all the same.
#[test]
fn without_a_runtime_the_others_go_on_where_who_was_to_make_the_call_has_left() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock)).window(5 * MILLI).boxed();
    let cx = &mut Context::from_waker(Waker::noop());
    let (mut first, mut second) = (Box::pin(texts.get(&1)), pin!(texts.get(&2)));
    assert!(first.as_mut().poll(cx).is_pending());
    assert!(second.as_mut().poll(cx).is_pending());
    drop(first);
    assert!(second.as_mut().poll(cx).is_pending(), "its own window");
    clock.advance(5 * MILLI);
    let Poll::Ready(found) = second.as_mut().poll(cx) else { panic!("it waits for who has left") };
    assert_eq!(found.unwrap(), Some(text(2, 0)));
    assert_eq!(source.asked(), [[2]]);
}

// async-cache Y-d4: an error of one batch reached the next.
#[tokio::test]
async fn a_call_that_fails_fails_for_its_keys_and_no_others() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.gate().close();
    let texts = source.loads(cache(&clock)).max_batch(2).boxed();
    source.fails(Some("down"));
    let bad = ask(&texts, 0..2);
    settle().await;
    source.gate().let_one_through();
    let bad = answers(bad).await;
    assert!(bad.iter().all(|end| matches!(end, Err(LoadError::Load(error)) if **error == "down")));
    source.fails(None);
    source.gate().open();
    assert_eq!(texts_of(ask(&texts, 2..4)).await, [Some(text(2, 0)), Some(text(3, 0))]);
    assert_eq!(
        texts_of(ask(&texts, 0..2)).await,
        [Some(text(0, 0)), Some(text(1, 0))],
        "nothing is remembered"
    );
}

#[tokio::test]
async fn a_call_that_panics_fails_for_its_keys_and_no_others() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock)).max_batch(2).boxed();
    source.panics(Some("no such table"));
    for end in answers(ask(&texts, 0..2)).await {
        assert!(matches!(end, Err(LoadError::Panicked(message)) if &*message == "no such table"));
    }
    source.panics(None);
    assert_eq!(texts_of(ask(&texts, 0..2)).await, [Some(text(0, 0)), Some(text(1, 0))]);
}

#[tokio::test]
async fn a_value_that_fails_to_load_again_is_served_old_where_that_was_said() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock).stale_if_error(60 * SECOND)).max_batch(2).boxed();
    texts_of(ask(&texts, 0..2)).await;
    clock.run(61 * SECOND).await;
    source.fails(Some("down"));
    assert_eq!(texts_of(ask(&texts, 0..2)).await, [Some(text(0, 0)), Some(text(1, 0))]);
}

#[tokio::test]
async fn a_call_is_dropped_once_nobody_waits_for_any_of_its_keys() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.gate().close();
    let texts = source.loads(cache(&clock).max_load_time(SECOND)).boxed();
    let first = ask(&texts, [0]);
    clock.run(MILLI).await;
    assert_eq!(source.under_way(), 1);
    clock.run(SECOND).await;
    assert!(matches!(first.into_iter().next().unwrap().await.unwrap(), Err(LoadError::Timeout)));
    settle().await;
    assert_eq!(source.under_way(), 0);
}

#[tokio::test]
async fn what_is_removed_while_it_waits_is_asked_for_once_and_stored_for_who_came_later() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock)).window(5 * MILLI).boxed();
    let mut asked = ask(&texts, [1, 2]);
    settle().await;
    texts.remove(&1).await.unwrap();
    asked.extend(ask(&texts, [1]));
    clock.run(5 * MILLI).await;
    assert_eq!(texts_of(asked).await, [Some(text(1, 0)), Some(text(2, 0)), Some(text(1, 0))]);
    assert_eq!(source.asked(), [[1, 2]]);
    assert_eq!(texts.get_now(&1), Some(Some(text(1, 0))));
}

#[tokio::test]
async fn what_is_removed_while_it_is_loaded_is_not_stored_and_the_others_are() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.gate().close();
    let texts = source.loads(cache(&clock)).max_batch(2).boxed();
    let asked = ask(&texts, [1, 2]);
    source.gate().reached(1).await;
    texts.remove(&1).await.unwrap();
    source.gate().open();
    assert_eq!(texts_of(asked).await, [Some(text(1, 0)), Some(text(2, 0))]);
    assert_eq!((texts.get_now(&1), texts.get_now(&2)), (None, Some(Some(text(2, 0)))));
}

#[tokio::test]
async fn a_load_that_asks_for_a_key_of_its_own_call_is_told() {
    let clock = MockClock::new();
    let handle: Arc<std::sync::OnceLock<Texts>> = Arc::default();
    let inner = Arc::clone(&handle);
    let texts = cache(&clock)
        .batch_loader(move |keys: Vec<u32>| {
            let inner = Arc::clone(&inner);
            async move {
                let texts = inner.get().unwrap();
                match texts.get(&1).await {
                    Err(LoadError::Cycle) => Ok(keys.into_iter().map(|key| (key, "told".to_string()))),
                    _ => Err("it waits for itself"),
                }
                .map(Iterator::collect::<BTreeMap<_, _>>)
            }
        })
        .max_batch(2)
        .boxed();
    handle.set(texts.clone()).ok().unwrap();
    assert_eq!(texts_of(ask(&texts, [1, 2])).await, vec![Some("told".to_string()); 2]);
}

#[test]
fn a_batch_whose_runtime_ends_before_its_call_keeps_nobody_waiting() {
    for turns in 0..8 {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let clock = MockClock::new();
        let source = Source::new(&clock, Duration::ZERO);
        let texts = source.loads(cache(&clock)).window(Duration::ZERO).boxed();
        let first = runtime();
        first.block_on(async {
            let _asked = ask(&texts, [1]);
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        });
        drop(first);
        runtime().block_on(async {
            let asked = ask(&texts, [2]);
            settle().await;
            assert!(asked[0].is_finished(), "after {turns} turns");
        });
    }
}

#[tokio::test]
async fn calls_that_ask_for_further_keys_of_their_cache_do_not_wait_for_each_others_places() {
    let clock = MockClock::new();
    let handle: Arc<std::sync::OnceLock<Texts>> = Arc::default();
    let inner = Arc::clone(&handle);
    // Each key is made of the one above it, up to 100.
    let texts = cache(&clock)
        .batch_loader(move |keys: Vec<u32>| {
            let inner = Arc::clone(&inner);
            async move {
                let mut made = Vec::new();
                for key in keys {
                    let above = match key {
                        0..100 => inner.get().unwrap().get(&(key + 10)).await.map_err(|_| "above")?,
                        _ => Some(String::new()),
                    };
                    made.push((key, format!("{}{key}.", above.unwrap_or_default())));
                }
                Ok(made)
            }
        })
        .max_batch(3)
        .concurrency(2)
        .boxed();
    handle.set(texts.clone()).ok().unwrap();
    let asked = ask(&texts, 0..10);
    clock.run(Duration::from_secs(5)).await;
    assert!(asked.iter().all(JoinHandle::is_finished));
    let made = texts_of(asked).await;
    assert_eq!(made[7].as_deref(), Some("107.97.87.77.67.57.47.37.27.17.7."));
}
