//! A level that keeps failing is left alone, and asked again later.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{
    Breaker, BreakerState, ByteStore, Cache, Capabilities, Error, ErrorKind, Operation, Result,
};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);
const READ: Operation = Operation::Read;

struct Setting {
    cache: Cache<str, Bytes>,
    store: FakeBytes,
    clock: MockClock,
    events: Recorder,
}

impl Setting {
    fn new(breaker: Breaker) -> Self {
        let (store, clock, events) = (FakeBytes::new(), MockClock::new(), Recorder::new());
        let cache = Cache::<str, Bytes, _, _>::new(store.clone())
            .breaker(breaker)
            .clock(clock.clone())
            .observer(events.clone());
        Setting { cache: cache.boxed(), store, clock, events }
    }

    /// One whose breaker is open.
    async fn opened() -> Self {
        let setting = Self::new(Breaker::default());
        setting.open().await;
        setting
    }

    async fn open(&self) {
        self.store.fail(&[READ]);
        for _ in 0..10 {
            assert_eq!(self.cache.get("ada").await.unwrap(), None);
        }
        assert_eq!(self.state(), Some(BreakerState::Open));
    }

    fn state(&self) -> Option<BreakerState> {
        self.cache.stats().levels[0].breaker
    }

    /// How often the store was asked to read in the course of one call.
    async fn reads_of_a_call(&self) -> usize {
        let before = self.store.count(READ);
        self.cache.get("ada").await.unwrap();
        self.store.count(READ) - before
    }

    fn changes(&self) -> Vec<BreakerState> {
        self.events
            .breakers()
            .into_iter()
            .map(|(level, state)| {
                assert_eq!(level, "L1 FakeBytes");
                state
            })
            .collect()
    }
}

#[tokio::test]
async fn after_ten_failures_the_store_is_left_alone() {
    let setting = Setting::opened().await;
    for _ in 0..100 {
        assert_eq!(setting.reads_of_a_call().await, 0);
    }
    let stats = setting.cache.stats();
    assert_eq!((stats.levels[0].errors, stats.levels[0].skipped), (10, 100));
    assert_eq!((setting.events.failures().len(), setting.changes()), (10, vec![BreakerState::Open]));
    assert!(stats.to_string().contains("open"), "{stats}");
}

#[tokio::test]
async fn reads_and_writes_and_calls_that_hang_are_counted_together() {
    let setting = Setting::new(Breaker::default());
    setting.store.fail(&[Operation::Write, Operation::Remove]);
    for _ in 0..3 {
        setting.cache.insert("ada", "countess".into()).await.unwrap_err();
        setting.cache.remove("ada").await.unwrap_err();
    }
    setting.store.gate(READ).close();
    for _ in 0..4 {
        assert_eq!(setting.state(), Some(BreakerState::Closed));
        let cache = setting.cache.clone();
        let read = tokio::spawn(async move { cache.get("ada").await.unwrap() });
        setting.clock.run(SECOND).await;
        assert_eq!(read.await.unwrap(), None);
    }
    assert_eq!(setting.state(), Some(BreakerState::Open));
}

#[tokio::test]
async fn while_it_is_open_loads_go_on_and_writers_are_told() {
    let setting = Setting::opened().await;
    let calls = setting.store.calls().len();
    let loader: Loader<Bytes> = Loader::value("countess".into());
    assert_eq!(setting.cache.get_or_load("ada", loader.load()).await.unwrap(), "countess");
    for refused in [
        setting.cache.insert("ada", "countess".into()).await,
        setting.cache.remove("ada").await,
        setting.cache.clear().await,
    ] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.level()), (ErrorKind::BreakerOpen, Some("L1 FakeBytes")));
        assert_eq!(
            error.to_string(),
            "L1 FakeBytes: the store was not asked: too many calls failed, the next try is in 5s; `.breaker(..)` decides when"
        );
    }
    assert_eq!(setting.store.calls().len(), calls);
    assert_eq!(setting.cache.stats().levels[0].skipped, 5);
    assert_eq!(setting.events.failures().len(), 10, "none of them an event");
}

#[tokio::test]
async fn a_probe_that_is_answered_closes_it() {
    let setting = Setting::opened().await;
    setting.store.fail(&[]);
    setting.clock.advance(5 * SECOND - Duration::from_nanos(1));
    assert_eq!(setting.reads_of_a_call().await, 0);
    setting.clock.advance(Duration::from_nanos(1));
    assert_eq!(setting.state(), Some(BreakerState::Open), "nothing happens by itself");
    assert_eq!(setting.reads_of_a_call().await, 1);
    assert_eq!(setting.reads_of_a_call().await, 1);
    assert_eq!(setting.changes(), [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed]);
}

#[tokio::test]
async fn ten_callers_at_half_open_are_one_call_of_the_store() {
    let setting = Setting::opened().await;
    setting.store.fail(&[]);
    setting.store.gate(READ).close();
    setting.clock.advance(5 * SECOND);
    let before = setting.store.count(READ);
    let callers: Vec<_> = (0..10)
        .map(|number| {
            let cache = setting.cache.clone();
            // Of different keys: those of one key are one read anyway.
            tokio::spawn(async move { cache.get(&number.to_string()).await.unwrap() })
        })
        .collect();
    settle().await;
    assert_eq!(setting.store.count(READ) - before, 1);
    assert_eq!(setting.state(), Some(BreakerState::HalfOpen));
    assert_eq!(callers.iter().filter(|caller| !caller.is_finished()).count(), 1);
    setting.store.gate(READ).open();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), None);
    }
    assert_eq!(setting.state(), Some(BreakerState::Closed));
}

#[tokio::test]
async fn a_probe_that_fails_or_hangs_opens_it_for_twice_as_long() {
    let setting = Setting::opened().await;
    setting.clock.advance(5 * SECOND);
    assert_eq!(setting.reads_of_a_call().await, 1);
    setting.clock.advance(10 * SECOND - Duration::from_nanos(1));
    assert_eq!(setting.reads_of_a_call().await, 0);
    setting.clock.advance(Duration::from_nanos(1));

    setting.store.gate(READ).close();
    let cache = setting.cache.clone();
    let probe = tokio::spawn(async move { cache.get("ada").await.unwrap() });
    setting.clock.run(SECOND).await;
    assert_eq!(probe.await.unwrap(), None);
    setting.clock.advance(20 * SECOND - Duration::from_nanos(1));
    assert_eq!(setting.reads_of_a_call().await, 0);
    setting.store.gate(READ).open();
    setting.store.fail(&[]);
    setting.clock.advance(Duration::from_nanos(1));
    assert_eq!(setting.reads_of_a_call().await, 1);

    // Closed: the next time it begins with five seconds again.
    setting.open().await;
    setting.clock.advance(5 * SECOND);
    assert_eq!(setting.reads_of_a_call().await, 1);
}

#[tokio::test]
async fn a_probe_that_is_dropped_lets_the_next_call_be_the_probe() {
    let setting = Setting::opened().await;
    setting.store.gate(READ).close();
    setting.clock.advance(5 * SECOND);
    {
        // Inside its caller, where dropping the caller drops the call.
        let mut probe = Box::pin(setting.cache.contains("ada"));
        assert!(futures::poll!(&mut probe).is_pending());
        assert_eq!(setting.state(), Some(BreakerState::HalfOpen));
    }
    assert_eq!(setting.state(), Some(BreakerState::Open));
    setting.store.gate(READ).open();
    setting.store.fail(&[]);
    assert_eq!(setting.reads_of_a_call().await, 1);
    assert_eq!(setting.state(), Some(BreakerState::Closed));
}

#[tokio::test]
async fn what_cannot_be_decoded_is_no_failure_of_the_store() {
    let setting = Setting::new(Breaker::default().min_calls(1));
    setting.store.put_raw("larder:ada", "no envelope");
    for _ in 0..100 {
        assert_eq!(setting.reads_of_a_call().await, 1);
    }
    assert_eq!(setting.cache.stats().levels[0].errors, 100);

    let small = Cache::<str, Bytes, _, _>::new(setting.store.clone())
        .max_value_bytes(10)
        .breaker(Breaker::default().min_calls(1));
    for _ in 0..100 {
        assert_eq!(small.insert("ada", vec![0; 100].into()).await.unwrap_err().kind(), ErrorKind::TooLarge);
    }
    assert_eq!(small.stats().levels[0].breaker, Some(BreakerState::Closed));
}

#[tokio::test]
async fn one_that_is_off_asks_each_time() {
    let setting = Setting::new(Breaker::off());
    setting.store.fail(&[READ]);
    for _ in 0..100 {
        assert_eq!(setting.reads_of_a_call().await, 1);
    }
    assert_eq!((setting.state(), setting.changes()), (None, vec![]));
}

#[tokio::test]
async fn memory_is_never_left_out() {
    let store = Fake::<str, u32>::new();
    let cache = Cache::new(store.clone()).breaker(Breaker::default().min_calls(1)).level_timeout(SECOND);
    store.fail(&[Operation::Write]);
    for number in 0..100 {
        assert_eq!(cache.insert("ada", number).await.unwrap_err().kind(), ErrorKind::Store);
    }
    assert_eq!(store.count(Operation::Write), 100);
    assert_eq!((cache.stats().levels[0].breaker, cache.stats().levels[0].skipped), (None, 0));
}

/// A store of bytes in memory, which never waits and always fails.
struct Local;

impl ByteStore for Local {
    async fn get(&self, _: &str) -> Result<Option<Bytes>> {
        Err(Error::store("no"))
    }
    async fn put(&self, _: &str, _: Bytes, _: Option<SystemTime>) -> Result<()> {
        Err(Error::store("no"))
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Err(Error::store("no"))
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.immediate()
    }
}

#[tokio::test]
async fn nor_is_a_store_of_bytes_that_never_waits() {
    let cache = Cache::<str, Bytes, _, _>::new(Local).breaker(Breaker::default().min_calls(1));
    for _ in 0..100 {
        assert_eq!(cache.remove("ada").await.unwrap_err().kind(), ErrorKind::Store);
    }
    assert_eq!((cache.stats().levels[0].errors, cache.stats().levels[0].breaker), (100, None));
}

/// A store whose runtime is about to end.
struct Ending;

impl ByteStore for Ending {
    async fn get(&self, _: &str) -> Result<Option<Bytes>> {
        Err(Error::new(ErrorKind::Closed, "the runtime ends"))
    }
    async fn put(&self, _: &str, _: Bytes, _: Option<SystemTime>) -> Result<()> {
        Ok(())
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_runtime_that_ends_is_no_failure_of_the_store() {
    let cache = Cache::<str, Bytes, _, _>::new(Ending).breaker(Breaker::default().min_calls(1));
    for _ in 0..100 {
        assert_eq!(cache.get("ada").await.unwrap(), None);
    }
    assert_eq!(cache.stats().levels[0].breaker, Some(BreakerState::Closed));
}

#[tokio::test]
async fn handles_of_a_level_share_its_breaker_and_caches_made_anew_do_not() {
    let setting = Setting::opened().await;
    let (store, clock) = (FakeBytes::new(), MockClock::new());
    let level = Cache::<str, Bytes, _, _>::new(store.clone()).clock(clock.clone());
    let chained = Cache::new(Fake::new()).chain(level.clone()).clock(clock.clone());
    let other = Cache::<str, Bytes, _, _>::new(store.clone()).clock(clock);
    store.fail(&[READ]);
    for _ in 0..10 {
        level.get("ada").await.unwrap();
    }
    let open = Some(BreakerState::Open);
    assert_eq!((level.clone().ttl(SECOND).stats().levels[0].breaker, setting.state()), (open, open));
    assert_eq!(chained.stats().levels[1].breaker, open);
    assert_eq!(other.stats().levels[0].breaker, Some(BreakerState::Closed));
}

#[tokio::test]
async fn a_level_that_is_left_out_does_not_keep_the_others_from_answering() {
    let (middle, last, clock) = (FakeBytes::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(Fake::<str, Bytes>::new())
        .ttl(SECOND)
        .chain(Cache::new(middle.clone()))
        .chain(Cache::new(last))
        .clock(clock.clone());
    cache.insert("ada", "countess".into()).await.unwrap();
    middle.fail(&[READ, Operation::Write]);
    for _ in 0..20 {
        clock.advance(SECOND);
        assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    }
    assert_eq!(cache.stats().levels[1].breaker, Some(BreakerState::Open));
    let error = cache.insert("ada", "Lady".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.level()), (ErrorKind::BreakerOpen, Some("L2 FakeBytes")));
    clock.advance(SECOND);
    assert_eq!(cache.get("ada").await.unwrap(), Some("Lady".into()), "the level behind was written");
}
