//! Many keys that a schedule keeps fresh: a given set, and those that are read most.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{Cache, LoadContext, Loading, Start, Warmed};
use larder_testkit::{Fake, Gate, MockClock, settle};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Numbers its loads, and fails for the key 13.
#[derive(Clone, Default)]
struct Source {
    loaded: Arc<Mutex<Vec<u32>>>,
    count: Arc<AtomicU32>,
    gate: Gate,
}

impl Source {
    fn loads(&self, cache: Cache<u32, u32>) -> Loading<u32, u32, &'static str> {
        let source = self.clone();
        cache.loader(move |cx: LoadContext<u32, u32>| {
            let source = source.clone();
            async move {
                source.loaded.lock().unwrap().push(*cx.key());
                source.gate.pass().await;
                if *cx.key() == 13 { Err("bad luck") } else { Ok(source.count.fetch_add(1, SeqCst) + 1) }
            }
        })
    }

    /// The keys that were loaded since the last question.
    fn loaded(&self) -> Vec<u32> {
        let mut loaded = std::mem::take(&mut *self.loaded.lock().unwrap());
        loaded.sort_unstable();
        loaded
    }
}

fn cache(clock: &MockClock) -> Cache<u32, u32> {
    Cache::new(Fake::new()).clock(clock.clone()).ttl(3 * MINUTE).boxed()
}

#[tokio::test]
async fn the_keys_are_loaded_at_once_and_every_interval_so_that_they_are_always_there() {
    let (clock, source) = (MockClock::new(), Source::default());
    let numbers = source.loads(cache(&clock));
    let fresh = numbers.refresh_keys(MINUTE, || 1..=3_u32);
    let report = fresh.ready().await.unwrap();
    assert_eq!((report.loaded(), report.keys().len()), (3, 3));
    assert_eq!(source.loaded(), [1, 2, 3]);
    for minute in 1..=10 {
        clock.run(MINUTE).await;
        assert_eq!(source.loaded(), [1, 2, 3], "minute {minute}");
        assert!((1..=3).all(|key| numbers.get_now(&key).is_some()));
    }
    drop(fresh);
    clock.run(10 * MINUTE).await;
    assert_eq!(source.loaded(), [], "it has ended");
}

#[tokio::test]
async fn which_keys_there_are_is_asked_anew_each_time() {
    let (clock, source) = (MockClock::new(), Source::default());
    let customers = Arc::new(Mutex::new(vec![1_u32, 2]));
    let now = Arc::clone(&customers);
    let fresh = source.loads(cache(&clock)).refresh_keys(MINUTE, move || now.lock().unwrap().clone());
    fresh.ready().await.unwrap();
    assert_eq!(source.loaded(), [1, 2]);
    *customers.lock().unwrap() = vec![2, 7];
    clock.run(MINUTE).await;
    assert_eq!(source.loaded(), [2, 7]);
}

#[tokio::test]
async fn what_was_loaded_a_short_while_ago_is_not_loaded_again() {
    let (clock, source) = (MockClock::new(), Source::default());
    let numbers = source.loads(cache(&clock));
    numbers.get(&1).await.unwrap();
    let fresh = numbers.refresh_keys(MINUTE, || [1_u32, 2]);
    fresh.ready().await.unwrap();
    assert_eq!(source.loaded(), [1, 2], "each once");
    clock.run(50 * SECOND).await;
    numbers.refresh(&2).await.unwrap();
    source.loaded();
    clock.run(10 * SECOND).await;
    assert_eq!(source.loaded(), [1]);
    assert!(matches!(fresh.last().unwrap().keys(), [(1, Warmed::Loaded), (2, Warmed::Present)]));
}

#[tokio::test]
async fn a_key_that_fails_harms_no_other_and_is_told() {
    let (clock, source) = (MockClock::new(), Source::default());
    let told: Arc<Mutex<Vec<u32>>> = Arc::default();
    let tells = Arc::clone(&told);
    let fresh = source.loads(cache(&clock)).refresh_keys_with(
        MINUTE,
        || [12_u32, 13, 14],
        |how| {
            how.on_error(move |key, error| {
                assert_eq!(error.as_load(), Some(&"bad luck"));
                tells.lock().unwrap().push(*key);
                panic!("and the listener itself");
            })
        },
    );
    let report = fresh.ready().await.unwrap();
    assert_eq!((report.loaded(), report.failed()), (2, 1));
    clock.run(MINUTE).await;
    assert_eq!(source.loaded(), [12, 12, 13, 13, 14, 14]);
    assert_eq!(*told.lock().unwrap(), [13, 13]);
}

#[tokio::test]
async fn a_closure_that_panics_leaves_out_one_time() {
    let (clock, source) = (MockClock::new(), Source::default());
    let times = AtomicUsize::new(0);
    let keys = move || {
        assert!(times.fetch_add(1, SeqCst) > 0, "the customers are away");
        [1_u32]
    };
    let fresh = source.loads(cache(&clock)).refresh_keys(MINUTE, keys);
    settle().await;
    assert!(fresh.last().is_none());
    clock.run(MINUTE).await;
    assert_eq!(source.loaded(), [1]);
}

#[tokio::test]
async fn it_may_begin_later_and_has_few_loads_at_a_time() {
    let (clock, source) = (MockClock::new(), Source::default());
    source.gate.close();
    let how =
        |how: larder_core::RefreshKeysOptions<u32, &'static str>| how.start(Start::Later).concurrency(2);
    let _fresh = source.loads(cache(&clock)).refresh_keys_with(MINUTE, || 1..=5_u32, how);
    clock.run(59 * SECOND).await;
    assert_eq!(source.loaded(), []);
    clock.run(SECOND).await;
    assert_eq!(source.loaded(), [1, 2]);
    source.gate.let_one_through();
    settle().await;
    assert_eq!(source.loaded(), [3]);
}

#[tokio::test]
async fn by_hand_all_are_loaded_and_the_next_time_is_an_interval_later() {
    let (clock, source) = (MockClock::new(), Source::default());
    let fresh = source.loads(cache(&clock)).refresh_keys(MINUTE, || [1_u32, 2]);
    fresh.ready().await.unwrap();
    clock.run(40 * SECOND).await;
    source.loaded();
    assert_eq!(fresh.refresh().await.loaded(), 2);
    assert_eq!(source.loaded(), [1, 2]);
    clock.run(59 * SECOND).await;
    assert_eq!(source.loaded(), []);
    clock.run(SECOND).await;
    assert_eq!(source.loaded(), [1, 2]);
}

#[tokio::test]
async fn shut_down_it_stops_wherever_it_is_and_says_so() {
    let (clock, source) = (MockClock::new(), Source::default());
    source.gate.close();
    let fresh = source.loads(cache(&clock)).refresh_keys(MINUTE, || 1..=100_u32);
    settle().await;
    assert_eq!(source.loaded().len(), 16);
    fresh.shutdown().await;
    source.gate.open();
    clock.run(5 * MINUTE).await;
    assert_eq!(source.loaded(), []);
}

#[tokio::test]
async fn a_pass_that_takes_longer_than_the_interval_is_not_followed_by_a_heap_of_others() {
    let (clock, source) = (MockClock::new(), Source::default());
    source.gate.close();
    let _fresh = source.loads(cache(&clock)).refresh_keys(MINUTE, || [1_u32]);
    clock.run(5 * MINUTE + 30 * SECOND).await;
    source.gate.open();
    settle().await;
    assert_eq!(source.loaded(), [1]);
    clock.run(59 * SECOND).await;
    assert_eq!(source.loaded(), []);
    clock.run(SECOND).await;
    assert_eq!(source.loaded(), [1]);
}

#[tokio::test]
async fn with_a_batch_loader_the_keys_are_loaded_together() {
    let clock = MockClock::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let load = move |keys: Vec<u32>| {
        count.fetch_add(1, SeqCst);
        async move { Ok::<_, String>(keys.into_iter().map(|key| (key, key))) }
    };
    let cache = Cache::new(Fake::<u32, Option<u32>>::new()).clock(clock.clone()).batch_loader(load);
    let fresh = cache.refresh_keys_with(MINUTE, || 0..50_u32, |how| how.concurrency(50));
    clock.run(SECOND).await;
    assert_eq!((fresh.last().unwrap().loaded(), calls.load(SeqCst)), (50, 1));
}

#[tokio::test]
async fn the_hottest_keys_are_kept_fresh_and_the_others_expire() {
    let (clock, source) = (MockClock::new(), Source::default());
    let numbers = source.loads(cache(&clock)).refresh_hottest(MINUTE, 3);
    for cold in 100..200 {
        numbers.get(&cold).await.unwrap();
        numbers.get(&(cold % 3)).await.unwrap();
    }
    let mut hottest = numbers.hottest();
    hottest.sort_unstable();
    assert_eq!(hottest, [0, 1, 2]);
    source.loaded();
    for _ in 0..4 {
        clock.run(MINUTE).await;
        assert_eq!(source.loaded(), [0, 1, 2]);
    }
    assert!((0..3).all(|hot| numbers.get_now(&hot).is_some()));
    assert!((100..200).all(|cold| numbers.get_now(&cold).is_none()));
    assert_eq!(numbers.schedule().last().unwrap().loaded(), 3);
    let plain = numbers.shutdown().await;
    clock.run(5 * MINUTE).await;
    assert_eq!(plain.get_now(&0), None);
}

#[tokio::test]
async fn what_is_hot_changes() {
    let (clock, source) = (MockClock::new(), Source::default());
    let numbers = source.loads(cache(&clock)).refresh_hottest(MINUTE, 1);
    for hot in [1, 2] {
        for _ in 0..10 {
            numbers.get(&hot).await.unwrap();
        }
        source.loaded();
        clock.run(MINUTE).await;
        assert_eq!(source.loaded(), [hot]);
    }
}

#[tokio::test]
#[should_panic(expected = "say at least 1")]
async fn of_no_keys_none_is_the_hottest() {
    let _ = Source::default().loads(cache(&MockClock::new())).refresh_hottest(MINUTE, 0);
}

#[tokio::test]
#[should_panic(expected = "an interval above zero")]
async fn an_interval_of_zero_is_refused() {
    let _ = Source::default().loads(cache(&MockClock::new())).refresh_keys(Duration::ZERO, || [1_u32]);
}
