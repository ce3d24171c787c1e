//! `warm` and `warm_stream`: many keys loaded before they are asked for.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use futures::channel::mpsc;
use futures::executor;
use futures::stream::{self, StreamExt};
use larder_core::{Cache, LoadContext, LoadError, Operation, WarmReport, Warmed};
use larder_testkit::{Fake, Gate, MockClock, settle};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn memory() -> Cache<u64, u64> {
    Cache::new(Fake::new()).boxed()
}

/// Loads that pass a gate, and how many there are at a time.
#[derive(Clone, Default)]
struct Source(Arc<Counts>);

struct Counts {
    gate: Gate,
    now: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

impl Default for Counts {
    fn default() -> Self {
        let none = AtomicUsize::default;
        Counts { gate: Gate::closed(), now: none(), most: none(), all: none() }
    }
}

impl Source {
    /// Squares the key, and fails for those of 100 and more.
    async fn load(self, key: u64) -> Result<u64, String> {
        let counts = &self.0;
        counts.all.fetch_add(1, SeqCst);
        counts.most.fetch_max(counts.now.fetch_add(1, SeqCst) + 1, SeqCst);
        counts.gate.pass().await;
        counts.now.fetch_sub(1, SeqCst);
        if key < 100 { Ok(key * key) } else { Err(format!("no {key}")) }
    }

    fn loads(&self) -> usize {
        self.0.all.load(SeqCst)
    }

    fn gate(&self) -> &Gate {
        &self.0.gate
    }
}

fn counts<K, E>(report: &WarmReport<K, E>) -> (usize, usize, usize) {
    (report.loaded(), report.present(), report.failed())
}

#[tokio::test]
async fn so_many_are_loaded_at_a_time_and_no_more() {
    for (concurrency, expected) in [(None, 16), (Some(3), 3), (Some(1), 1), (Some(1_000), 40)] {
        let (squares, source) = (memory(), Source::default());
        let own = source.clone();
        let warm = squares.warm(0..40_u64, move |key| own.clone().load(key));
        let warm = match concurrency {
            Some(keys) => warm.concurrency(keys),
            None => warm,
        };
        let warming = tokio::spawn(warm.into_future());
        source.gate().reached(expected).await;
        settle().await;
        assert_eq!(source.loads(), expected, "the rest waits");
        source.gate().open();
        assert_eq!(counts(&warming.await.unwrap()), (40, 0, 0));
        assert_eq!(source.0.most.load(SeqCst), expected);
        assert_eq!(squares.get_now(&7), Some(49));
    }
}

#[tokio::test]
async fn one_that_fails_harms_no_other() {
    let source = Source::default();
    source.gate().open();
    let report =
        memory().warm([1_u64, 100, 2, 200], move |key| source.clone().load(key)).concurrency(2).await;
    assert_eq!(counts(&report), (2, 0, 2));
    assert_eq!(report.to_string(), "2 loaded, 0 there already, 2 failed");
    let keys: Vec<u64> = report.keys().iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [1, 100, 2, 200], "as they were given");
    let failures: Vec<_> =
        report.failures().map(|(key, error)| (*key, error.as_load().unwrap().as_str())).collect();
    assert_eq!(failures, [(100, "no 100"), (200, "no 200")]);
}

#[tokio::test]
async fn a_load_that_panics_is_a_failure_of_its_key() {
    let load = async |key: u64| if key == 2 { panic!("no bread") } else { Ok::<_, String>(key) };
    let report = memory().warm(1..=3_u64, load).await;
    assert_eq!(counts(&report), (2, 0, 1));
    assert!(matches!(report.keys()[1], (2, Warmed::Failed(LoadError::Panicked(_)))));
}

#[tokio::test]
async fn what_is_there_costs_no_load_and_no_write() {
    let near = Fake::<u64, u64>::new();
    let (far, source) = (Fake::<u64, u64>::remote(), Source::default());
    source.gate().open();
    let squares = Cache::new(near.clone()).chain(Cache::new(far.clone()));
    squares.insert(&1, 1).await.unwrap();
    squares.insert(&2, 4).await.unwrap();
    squares.with(|call| call.skip_level(1)).remove(&2).await.unwrap();

    let own = source.clone();
    let report = squares.warm(1..=3_u64, move |key| own.clone().load(key)).await;
    assert_eq!((counts(&report), source.loads()), ((1, 2, 0), 1));
    assert_eq!(squares.get_now(&2), Some(4), "it was copied up");
    assert_eq!(far.count(Operation::Write), 3);
}

#[tokio::test]
async fn what_is_stale_is_loaded_and_waited_for() {
    let (clock, source) = (MockClock::new(), Source::default());
    let squares = Cache::new(Fake::<u64, u64>::new()).ttl(SECOND).stale(SECOND).clock(clock.clone());
    squares.insert(&3, 0).await.unwrap();
    clock.advance(SECOND);

    let own = source.clone();
    let warming = tokio::spawn(squares.warm([3_u64], move |key| own.clone().load(key)).into_future());
    source.gate().reached(1).await;
    assert_eq!(squares.get(&3).await.unwrap(), Some(0), "others are served it meanwhile");
    assert!(!warming.is_finished());
    source.gate().open();
    assert_eq!(counts(&warming.await.unwrap()), (1, 0, 0));
    assert_eq!(squares.get(&3).await.unwrap(), Some(9));
}

#[tokio::test]
async fn a_failure_is_told_whatever_stands_in_for_the_value() {
    let (clock, source) = (MockClock::new(), Source::default());
    source.gate().open();
    let squares = Cache::new(Fake::<u64, u64>::new())
        .ttl(SECOND)
        .stale(SECOND)
        .stale_if_error(SECOND)
        .fallback(|_| 0)
        .clock(clock.clone());
    let own = source.clone();
    let squares = squares.loader(move |cx: LoadContext<u64, u64>| own.clone().load(*cx.key()));
    squares.insert(&100, 1).await.unwrap();
    clock.advance(SECOND);
    assert_eq!(counts(&squares.warm([100_u64, 200]).await), (0, 0, 2), "stale, and absent");
    assert_eq!(squares.cache().get(&100).await.unwrap(), Some(1), "it is still there");
    clock.advance(SECOND);
    assert_eq!(counts(&squares.warm([100_u64, 200]).await), (0, 0, 2), "kept for failures, and absent");
    assert_eq!(source.loads(), 4, "that others failed a moment ago spares none");
}

#[tokio::test]
async fn who_loads_already_is_joined() {
    let (squares, source) = (memory(), Source::default());
    let (users, own) = (squares.clone(), source.clone());
    let load = async move || own.load(5).await;
    let early = tokio::spawn(async move { users.get_or_load(&5, load).await.unwrap() });
    source.gate().reached(1).await;
    let own = source.clone();
    let warming = tokio::spawn(squares.warm([5_u64, 5], move |key| own.clone().load(key)).into_future());
    settle().await;
    source.gate().open();
    assert_eq!(early.await.unwrap(), 25);
    assert_eq!((counts(&warming.await.unwrap()), source.loads()), ((0, 2, 0), 1));
}

#[tokio::test]
async fn a_load_that_nobody_waits_for_keeps_its_place() {
    let (clock, source) = (MockClock::new(), Source::default());
    let squares = Cache::new(Fake::<u64, u64>::new()).hard_timeout(SECOND).clock(clock.clone());
    let own = source.clone();
    let warm = squares.warm([1_u64, 2], move |key| own.clone().load(key)).concurrency(1);
    let warming = tokio::spawn(warm.into_future());
    source.gate().reached(1).await;
    settle().await;
    clock.advance(SECOND);
    settle().await;
    assert_eq!(source.loads(), 1, "the first one still runs");
    source.gate().open();
    let report = warming.await.unwrap();
    assert!(matches!(report.keys()[0], (1, Warmed::Failed(LoadError::Timeout))));
    assert_eq!(counts(&report), (1, 0, 1));
}

#[tokio::test]
async fn its_progress_is_told_after_each_key() {
    let source = Source::default();
    source.gate().open();
    let told = Mutex::new(Vec::new());
    let own = source.clone();
    memory()
        .warm([1_u64, 100, 2], move |key| own.clone().load(key))
        .concurrency(1)
        .on_progress(|at| told.lock().unwrap().push((at.done, at.failed, at.total, at.to_string())))
        .await
        .keys();
    let told = told.into_inner().unwrap();
    let at = |done, failed, text: &str| (done, failed, Some(3), text.to_string());
    let expected = [
        at(1, 0, "1 of 3 done, 0 failed"),
        at(2, 1, "2 of 3 done, 1 failed"),
        at(3, 1, "3 of 3 done, 1 failed"),
    ];
    assert_eq!(told, expected);

    let mut totals = Vec::new();
    let unknown = (1..4_u64).filter(|key| *key != 2);
    let report = memory()
        .warm(unknown, move |key| source.clone().load(key))
        .on_progress(|at| totals.push((at.total, at.to_string())))
        .await;
    assert_eq!(counts(&report), (2, 0, 0));
    assert_eq!(totals[1], (None, "2 done, 0 failed".into()));
}

#[tokio::test]
async fn who_drops_it_stops_what_has_not_begun_and_nothing_else() {
    let (squares, source) = (memory(), Source::default());
    let own = source.clone();
    let warm = squares.warm(0..10_u64, move |key| own.clone().load(key)).concurrency(2);
    let warming = tokio::spawn(warm.into_future());
    source.gate().reached(2).await;
    warming.abort();
    assert!(warming.await.unwrap_err().is_cancelled());
    source.gate().open();
    settle().await;
    assert_eq!(source.loads(), 2);
    assert_eq!((squares.get_now(&0), squares.get_now(&1), squares.get_now(&2)), (Some(0), Some(1), None));
}

#[tokio::test]
async fn a_stream_is_asked_for_a_key_only_while_there_is_room() {
    let (squares, source) = (memory(), Source::default());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let keys = stream::iter(0..10_u64).inspect(move |_| {
        count.fetch_add(1, SeqCst);
    });
    let own = source.clone();
    let warm = squares.warm_stream(keys, move |key| own.clone().load(key)).concurrency(3);
    let warming = tokio::spawn(warm.into_future());
    for done in 0..3 {
        source.gate().reached(3 + done).await;
        settle().await;
        assert_eq!((asked.load(SeqCst), source.loads()), (3 + done, 3 + done));
        source.gate().let_one_through();
    }
    source.gate().open();
    assert_eq!(counts(&warming.await.unwrap()), (10, 0, 0));
    assert_eq!((source.0.most.load(SeqCst), squares.get_now(&9)), (3, Some(81)));
}

#[tokio::test]
async fn while_a_stream_gives_no_key_the_loads_go_on() {
    let (squares, source) = (memory(), Source::default());
    let (cursor, keys) = mpsc::unbounded::<u64>();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (own, tell) = (source.clone(), Arc::clone(&told));
    let warm = squares
        .warm_stream(keys, move |key| own.clone().load(key))
        .concurrency(4)
        .on_progress(move |at| tell.lock().unwrap().push((at.done, at.failed, at.total)));
    let warming = tokio::spawn(warm.into_future());
    settle().await;
    cursor.unbounded_send(100).unwrap();
    cursor.unbounded_send(2).unwrap();
    source.gate().reached(2).await;
    source.gate().open();
    settle().await;
    assert_eq!((squares.get_now(&2), warming.is_finished()), (Some(4), false));
    assert_eq!(told.lock().unwrap()[1..], [(2, 1, None)], "told before the next one comes");

    source.gate().close();
    cursor.unbounded_send(3).unwrap();
    source.gate().reached(3).await;
    drop(cursor);
    settle().await;
    assert!(!warming.is_finished(), "the last load is waited for");
    source.gate().open();
    let report = warming.await.unwrap();
    let keys: Vec<u64> = report.keys().iter().map(|(key, _)| *key).collect();
    assert_eq!((counts(&report), keys), ((2, 0, 1), vec![100, 2, 3]), "as they came");
}

#[tokio::test]
async fn a_stream_is_not_asked_again_after_its_end() {
    let source = Source::default();
    let mut left = Some(2_u64);
    let keys = stream::poll_fn(move |_| {
        let now = left.expect("it has ended");
        left = now.checked_sub(1);
        std::task::Poll::Ready(left.map(|_| now))
    });
    let own = source.clone();
    let warming = tokio::spawn(memory().warm_stream(keys, move |key| own.clone().load(key)).into_future());
    source.gate().reached(2).await;
    settle().await;
    source.gate().open();
    assert_eq!(counts(&warming.await.unwrap()), (2, 0, 0));
}

#[tokio::test]
async fn a_cache_with_a_loader_takes_a_stream_too() {
    let numbers = Cache::new(Fake::<str, u32>::new());
    numbers.insert("36", 36).await.unwrap();
    let numbers = numbers.loader(async |cx: LoadContext<str, u32>| cx.key().parse::<u32>());
    let mut totals = Vec::new();
    let report =
        numbers.warm_stream(stream::iter(["36", "12", "old"])).on_progress(|at| totals.push(at.total)).await;
    assert_eq!((counts(&report), totals), ((1, 1, 1), vec![Some(3); 3]));
    assert_eq!(numbers.get_now("12"), Some(12));
    let none = numbers.warm_stream(stream::empty::<String>()).await;
    assert_eq!((counts(&none), none.to_string()), ((0, 0, 0), "0 loaded, 0 there already, 0 failed".into()));
}

#[test]
fn it_needs_no_runtime() {
    let (squares, source) = (memory(), Source::default());
    source.gate().open();
    let own = source.clone();
    let report = executor::block_on(squares.warm(0..40_u64, move |key| own.clone().load(key)).into_future());
    assert_eq!(counts(&report), (40, 0, 0));
}

#[test]
#[should_panic(expected = "say at least 1")]
fn a_concurrency_of_zero_is_refused() {
    drop(memory().warm([1_u64], async |key: u64| Ok::<_, String>(key)).concurrency(0));
}
