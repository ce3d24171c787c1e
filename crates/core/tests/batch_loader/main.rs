//! What is asked for one by one and loaded together: `.batch_loader(f)`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod absent;
mod extra;
mod harm;
mod source;

use larder_core::{BatchLoading, Cache, LoadError, Loading};
use larder_testkit::{Fake, MockClock, settle};
use source::{Source, text};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::task::JoinHandle;

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<Option<String>, LoadError<&'static str>>;
type Texts = Loading<u32, Option<String>, &'static str>;

fn cache(clock: &MockClock) -> Cache<u32, Option<String>, Fake<u32, Option<String>>, larder_core::Native> {
    Cache::new(Fake::new()).clock(clock.clone()).ttl(60 * SECOND)
}

/// Asks for the keys one by one, each in a task of its own.
fn ask(texts: &Texts, keys: impl IntoIterator<Item = u32>) -> Vec<JoinHandle<Answer>> {
    let one = |key| {
        let texts = texts.clone();
        tokio::spawn(async move { texts.get(&key).await })
    };
    keys.into_iter().map(one).collect()
}

async fn answers(asked: Vec<JoinHandle<Answer>>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for one in asked {
        answers.push(one.await.unwrap());
    }
    answers
}

async fn texts_of(asked: Vec<JoinHandle<Answer>>) -> Vec<Option<String>> {
    answers(asked).await.into_iter().map(Result::unwrap).collect()
}

// Must show of the issue; async-cache Y5.
#[tokio::test]
async fn a_thousand_keys_of_a_thousand_tasks_are_ten_calls_at_a_time() {
    let clock = MockClock::new();
    let source = Source::new(&clock, 10 * MILLI);
    let texts = source.loads(cache(&clock)).window(5 * MILLI).max_batch(100).boxed();
    let asked = ask(&texts, 0..1_000);
    settle().await;
    assert_eq!((source.asked().len(), source.most()), (10, 10), "full ones do not wait for the window");
    assert!(source.asked().iter().all(|keys| keys.len() == 100));
    clock.run(10 * MILLI).await;
    let expected: Vec<_> = (0..1_000).map(|key| Some(text(key, 0))).collect();
    assert_eq!(texts_of(asked).await, expected);
    assert_eq!(texts_of(ask(&texts, 0..1_000)).await, expected);
    assert_eq!(source.asked().len(), 10, "they are stored");
}

#[tokio::test]
async fn one_call_has_as_many_keys_as_it_may() {
    let clock = MockClock::new();
    let source = Source::new(&clock, 10 * MILLI);
    let texts = source.loads(cache(&clock)).max_batch(1_000).boxed();
    let asked = ask(&texts, 0..1_000);
    clock.run(10 * MILLI).await;
    assert!(texts_of(asked).await.iter().all(Option::is_some));
    assert_eq!(source.asked(), [(0..1_000).collect::<Vec<_>>()]);
}

#[tokio::test]
async fn many_who_ask_for_one_key_are_one_key() {
    let clock = MockClock::new();
    let source = Source::new(&clock, 10 * MILLI);
    let texts = source.loads(cache(&clock)).boxed();
    let asked = ask(&texts, [7; 250]);
    clock.run(11 * MILLI).await;
    assert_eq!(texts_of(asked).await, vec![Some(text(7, 0)); 250]);
    assert_eq!(source.asked(), [[7]]);
}

#[tokio::test]
async fn who_comes_within_the_window_goes_along_and_who_comes_later_does_not() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock)).window(5 * MILLI).boxed();
    let mut asked = ask(&texts, [1]);
    clock.run(4 * MILLI).await;
    asked.extend(ask(&texts, [2]));
    settle().await;
    assert!(source.asked().is_empty());
    clock.run(MILLI).await;
    assert_eq!(source.asked(), [[1, 2]]);
    asked.extend(ask(&texts, [3]));
    clock.run(5 * MILLI).await;
    assert_eq!(source.asked(), [vec![1, 2], vec![3]]);
    assert_eq!(texts_of(asked).await.len(), 3);
}

#[tokio::test]
async fn without_a_window_those_who_are_ready_go_together() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock)).window(Duration::ZERO).boxed();
    let asked = ask(&texts, 0..20);
    assert_eq!(texts_of(asked).await.len(), 20);
    assert_eq!(source.asked(), [(0..20).collect::<Vec<_>>()]);
}

#[tokio::test]
async fn calls_beyond_the_concurrency_wait_and_go_on_gathering() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    source.gate().close();
    let texts = source.loads(cache(&clock)).max_batch(3).concurrency(2).boxed();
    let mut asked = ask(&texts, 0..6);
    clock.run(5 * MILLI).await;
    assert_eq!(source.under_way(), 2);
    asked.extend(ask(&texts, [6]));
    clock.run(5 * MILLI).await;
    asked.extend(ask(&texts, [7]));
    clock.run(5 * MILLI).await;
    assert_eq!(source.asked(), [[0, 1, 2], [3, 4, 5]]);
    source.gate().open();
    assert_eq!(texts_of(asked).await.len(), 8);
    assert_eq!(source.asked()[2..], [[6, 7]]);
    assert_eq!(source.most(), 2);
}

#[tokio::test]
async fn reloads_of_stale_values_go_together_too() {
    let clock = MockClock::new();
    let source = Source::new(&clock, Duration::ZERO);
    let texts = source.loads(cache(&clock).stale(60 * SECOND)).boxed();
    let asked = ask(&texts, 0..30);
    clock.run(MILLI).await;
    texts_of(asked).await;
    clock.run(61 * SECOND).await;
    source.changes();
    let old: Vec<_> = (0..30).map(|key| Some(text(key, 0))).collect();
    assert_eq!(texts_of(ask(&texts, 0..30)).await, old, "served at once");
    clock.run(MILLI).await;
    assert_eq!(source.asked().len(), 2);
    assert_eq!(texts.get_now(&29), Some(Some(text(29, 1))));
}

/// In the order of the keys, as async-cache's batch loaders may answer too.
#[tokio::test]
async fn pairs_of_any_kind_will_do() {
    let load = async |keys: Vec<u32>| {
        let doubled: Vec<u32> = keys.iter().map(|key| key * 2).collect();
        Ok::<_, String>(keys.into_iter().zip(doubled))
    };
    let doubles: BatchLoading<u32, u32, String, _, _> =
        Cache::new(Fake::<u32, Option<u32>>::new()).clock(MockClock::new()).batch_loader(load).max_batch(1);
    assert_eq!(doubles.get(&21).await.unwrap(), Some(42));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_forgotten_however_the_threads_meet() {
    for _ in 0..20 {
        let clock = MockClock::new();
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let load = move |keys: Vec<u32>| {
            count.fetch_add(1, SeqCst);
            async move {
                tokio::task::yield_now().await;
                Ok::<_, &'static str>(keys.into_iter().map(|key| (key, text(key, 0))).collect::<Vec<_>>())
            }
        };
        let texts =
            cache(&clock).batch_loader(load).window(Duration::ZERO).max_batch(7).concurrency(3).boxed();
        let expected: Vec<_> = (0..500).map(|key| Some(text(key, 0))).collect();
        assert_eq!(texts_of(ask(&texts, 0..500)).await, expected);
        assert!(calls.load(SeqCst) >= 500 / 7);
    }
}

#[test]
fn a_blocking_caller_makes_the_call_itself() {
    let load = |keys: Vec<u32>| async move { Ok::<_, String>(keys.into_iter().map(|key| (key, key * 2))) };
    let doubles = Cache::new(Fake::<u32, Option<u32>>::new()).batch_loader(load).window(Duration::ZERO);
    assert_eq!(doubles.blocking().get(&21).unwrap(), Some(42));
}

#[test]
#[should_panic(expected = "say at least 1")]
fn calls_of_no_keys_are_refused() {
    let clock = MockClock::new();
    let _ = Source::new(&clock, SECOND).loads(cache(&clock)).max_batch(0);
}

#[test]
#[should_panic(expected = "say at least 1")]
fn a_concurrency_of_no_calls_is_refused() {
    let clock = MockClock::new();
    let _ = Source::new(&clock, SECOND).loads(cache(&clock)).concurrency(0);
}
