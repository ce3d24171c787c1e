//! Who joins a load of a cache that shares a store with other processes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/memory_log.rs"]
mod memory_log;

use bytes::Bytes;
use larder_core::{
    Answer, ByteStore, Cache, Coherence, Error, ErrorKind, Invalidated, Invalidation, Name, News, Position,
    PutIf, Record, Result, SharedLog, Token,
};
use larder_testkit::{Fake, Gate, MockClock, settle};
use memory_log::{Flaw, MemoryLog};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);

/// A store that can be away, and its log with it. Clones are the same.
#[derive(Clone)]
struct Server {
    store: MemoryLog,
    log: Arc<Log>,
}

struct Log {
    right: Arc<dyn SharedLog>,
    is_away: AtomicBool,
    hangs: AtomicBool,
}

impl Log {
    fn unless_away<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        if self.hangs.load(SeqCst) {
            return Box::pin(std::future::pending());
        }
        if self.is_away.load(SeqCst) {
            return Box::pin(async { Err(Error::new(ErrorKind::Store, "it is away")) });
        }
        answer
    }
}

impl SharedLog for Log {
    fn news(&self, known: Option<Position>) -> Answer<'_, News> {
        self.unless_away(self.right.news(known))
    }
    fn read<'a>(
        &'a self,
        known: Option<Position>,
        key: &'a str,
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Record, News)> {
        self.unless_away(self.right.read(known, key, guard_for))
    }
    fn invalidate<'a>(
        &'a self,
        known: Option<Position>,
        invalidation: Invalidation<'a>,
    ) -> Answer<'a, Invalidated> {
        self.unless_away(self.right.invalidate(known, invalidation))
    }
    fn marks<'a>(
        &'a self,
        known: Option<Position>,
        names: &'a [Name],
    ) -> Answer<'a, (Vec<Option<u64>>, News)> {
        self.unless_away(self.right.marks(known, names))
    }
    fn place(&self) -> String {
        self.right.place()
    }
}

impl ByteStore for Server {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.store.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.store.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.store.remove(key).await
    }
    async fn put_if(
        &self,
        key: &str,
        then: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        self.store.put_if(key, then, bytes, expires_at).await
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        let log: Arc<Log> = Arc::clone(&self.log);
        Some(log)
    }
}

/// Numbers its loads.
#[derive(Clone, Default)]
struct Source {
    loads: Arc<AtomicUsize>,
    gate: Gate,
}

struct Service {
    clock: MockClock,
    server: Server,
}

impl Service {
    fn new() -> Self {
        let store = MemoryLog::new(Flaw::None);
        let log = Arc::new(Log { right: store.log().unwrap(), is_away: false.into(), hangs: false.into() });
        Service { clock: MockClock::new(), server: Server { store, log } }
    }

    fn group(&self) -> Coherence {
        Coherence::options().clock(self.clock.clone()).over(&self.server).unwrap()
    }

    /// The cache of another process, which has no memory.
    fn far(&self) -> Cache<str, Bytes> {
        let far = Cache::new(self.server.clone()).ttl(60 * SECOND).clock(self.clock.clone());
        far.coherence(&self.group()).boxed()
    }

    /// And of one that has.
    fn near(&self) -> Cache<str, Bytes> {
        let near = Cache::new(Fake::<str, Bytes>::new()).chain(Cache::new(self.server.clone()));
        near.ttl(60 * SECOND).clock(self.clock.clone()).coherence(&self.group()).boxed()
    }
}

fn ask(cache: &Cache<str, Bytes>, source: &Source) -> JoinHandle<Bytes> {
    let (cache, source) = (cache.clone(), source.clone());
    tokio::spawn(async move {
        let load = async move || {
            let number = source.loads.fetch_add(1, SeqCst) + 1;
            source.gate.pass().await;
            Ok::<_, String>(Bytes::from(number.to_string()))
        };
        cache.get_or_load("ada", load).await.unwrap()
    })
}

#[tokio::test]
async fn who_comes_after_another_process_has_removed_does_not_get_what_was_loaded_before() {
    let (service, source) = (Service::new(), Source::default());
    let (here, there) = (service.far(), service.far());
    source.gate.close();
    let first = ask(&here, &source);
    source.gate.reached(1).await;
    there.remove("ada").await.unwrap();
    let second = ask(&here, &source);
    settle().await;
    assert_eq!(source.loads.load(SeqCst), 1, "it has joined");
    source.gate.open();
    assert_eq!((first.await.unwrap(), second.await.unwrap()), ("1".into(), "2".into()));
}

#[tokio::test]
async fn who_joins_where_nothing_was_removed_is_content_with_the_one_load() {
    let (service, source) = (Service::new(), Source::default());
    let here = service.far();
    source.gate.close();
    let all: Vec<_> = (0..100).map(|_| ask(&here, &source)).collect();
    source.gate.reached(1).await;
    source.gate.open();
    for one in all {
        assert_eq!(one.await.unwrap(), "1");
    }
    assert_eq!(source.loads.load(SeqCst), 1);
}

#[tokio::test]
async fn a_log_that_cannot_be_asked_costs_one_more_load_and_not_one_a_caller() {
    for make in [Service::far, Service::near] {
        let (service, source) = (Service::new(), Source::default());
        let here = make(&service);
        source.gate.close();
        let all: Vec<_> = (0..50).map(|_| ask(&here, &source)).collect();
        source.gate.reached(1).await;
        service.server.log.is_away.store(true, SeqCst);
        // Longer than the bound.
        for _ in 0..60 {
            service.clock.run(5 * SECOND).await;
            source.gate.let_one_through();
            settle().await;
        }
        source.gate.open();
        for one in all {
            one.await.unwrap();
        }
        assert!(source.loads.load(SeqCst) <= 2, "{} loads", source.loads.load(SeqCst));
    }
}

#[tokio::test]
async fn a_log_that_hangs_costs_all_who_wait_a_few_time_outs_and_not_one_each() {
    let (service, source) = (Service::new(), Source::default());
    let here = service.far();
    source.gate.close();
    let all: Vec<_> = (0..50).map(|_| ask(&here, &source)).collect();
    source.gate.reached(1).await;
    service.server.log.hangs.store(true, SeqCst);
    source.gate.open();
    service.clock.run(3 * SECOND).await;
    // The first one's, that of those who came while it waited, and a read's.
    assert!(all.iter().all(JoinHandle::is_finished));
    assert!(source.loads.load(SeqCst) <= 3, "{} loads", source.loads.load(SeqCst));
}
