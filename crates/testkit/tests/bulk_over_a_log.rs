//! Many keys in one call, over a store with a log of invalidations.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/memory_log.rs"]
mod memory_log;

use bytes::Bytes;
use larder_core::{
    Answer, ByteStore, Cache, Invalidated, Invalidation, Name, News, Position, PutIf, Record, Result,
    SharedLog, Token,
};
use larder_testkit::{Fake, Gate, MockClock, settle};
use memory_log::{Flaw, MemoryLog};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

/// Clones are the same store.
#[derive(Clone)]
struct Counted {
    store: MemoryLog,
    log: Arc<CountedLog>,
}

struct CountedLog {
    log: Arc<dyn SharedLog>,
    /// What was asked of it, and for how many keys.
    asked: Mutex<Vec<(&'static str, usize)>>,
}

impl Counted {
    fn new() -> Self {
        let store = MemoryLog::new(Flaw::None);
        let log = Arc::new(CountedLog { log: store.log().unwrap(), asked: Mutex::default() });
        Counted { store, log }
    }

    fn asked(&self) -> Vec<(&'static str, usize)> {
        std::mem::take(&mut self.log.asked.lock())
    }
}

impl SharedLog for CountedLog {
    fn news(&self, known: Option<Position>) -> Answer<'_, News> {
        self.log.news(known)
    }
    fn read<'a>(
        &'a self,
        known: Option<Position>,
        key: &'a str,
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Record, News)> {
        self.asked.lock().push(("read", 1));
        self.log.read(known, key, guard_for)
    }
    fn read_many<'a>(
        &'a self,
        known: Option<Position>,
        keys: &'a [&'a str],
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Vec<Result<Record>>, News)> {
        self.asked.lock().push(("read many", keys.len()));
        self.log.read_many(known, keys, guard_for)
    }
    fn invalidate<'a>(
        &'a self,
        known: Option<Position>,
        invalidation: Invalidation<'a>,
    ) -> Answer<'a, Invalidated> {
        self.asked.lock().push(("invalidate", invalidation.names.len()));
        self.log.invalidate(known, invalidation)
    }
    fn marks<'a>(
        &'a self,
        known: Option<Position>,
        names: &'a [Name],
    ) -> Answer<'a, (Vec<Option<u64>>, News)> {
        self.log.marks(known, names)
    }
    fn place(&self) -> String {
        self.log.place()
    }
}

impl ByteStore for Counted {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.store.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, at: Option<SystemTime>) -> Result<()> {
        self.store.put(key, bytes, at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.store.remove(key).await
    }
    async fn put_if(&self, key: &str, then: &Token, bytes: Bytes, at: Option<SystemTime>) -> Result<PutIf> {
        self.store.put_if(key, then, bytes, at).await
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        Some(Arc::clone(&self.log) as Arc<dyn SharedLog>)
    }
}

/// The cache of a process of its own, which has copies in memory.
fn process(store: &Counted) -> (Cache<str, Bytes>, MockClock) {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::new()).chain(Cache::new(store.clone()));
    (cache.clock(clock.clone()).boxed(), clock)
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn some(texts: [&str; 3]) -> [Option<Bytes>; 3] {
    texts.map(|each| Some(text(each)))
}

const KEYS: [&str; 3] = ["ada", "bob", "eve"];

#[tokio::test]
async fn many_are_inserted_read_and_removed_in_one_question_each() {
    let store = Counted::new();
    let ((here, _), (there, clock)) = (process(&store), process(&store));
    here.insert_many(KEYS.map(|key| (key, text(key)))).await.all().unwrap();
    assert_eq!(store.asked(), [("invalidate", 3)]);

    assert_eq!(there.get_many(KEYS).await.all().unwrap(), some(KEYS));
    assert_eq!(store.asked(), [("read many", 3)]);
    assert_eq!(there.get_many(KEYS).await.all().unwrap(), some(KEYS));
    assert_eq!(store.asked(), [], "they are copied into memory");

    here.remove_many(["ada", "eve"]).await.all().unwrap();
    assert_eq!(store.asked(), [("invalidate", 2)]);
    clock.advance(2 * SECOND);
    assert_eq!(there.get_many(KEYS).await.all().unwrap(), [None, Some(text("bob")), None]);
}

#[tokio::test]
async fn what_another_process_writes_while_many_are_loaded_is_not_overwritten() {
    let store = Counted::new();
    let ((here, _), (there, _)) = (process(&store), process(&store));
    let gate = Gate::closed();
    let load = {
        let gate = gate.clone();
        async move |missing: Vec<String>| {
            gate.pass().await;
            let loaded = missing.into_iter().map(|key| (key, text("loaded")));
            Ok::<_, String>(loaded.collect::<HashMap<_, _>>())
        }
    };
    let cache = here.clone();
    let loading = tokio::spawn(async move { cache.load_many(KEYS, load).await.all().unwrap() });
    gate.reached(1).await;
    assert_eq!(store.asked(), [("read many", 3)]);
    there.insert("ada", text("newer")).await.unwrap();
    there.remove("bob").await.unwrap();
    gate.open();
    assert_eq!(loading.await.unwrap(), some(["loaded"; 3]));
    settle().await;

    let (third, _) = process(&store);
    let left = [Some(text("newer")), None, Some(text("loaded"))];
    assert_eq!(third.get_many(KEYS).await.all().unwrap(), left);
}

#[tokio::test]
async fn a_level_without_the_log_tells_of_many_in_one_question() {
    let store = Counted::new();
    let group = larder_core::Coherence::over(&store).unwrap();
    let shared = Cache::<str, Bytes, _, _>::new(larder_testkit::FakeBytes::new()).coherence(&group);
    shared.insert_many(KEYS.map(|key| (key, text(key)))).await.all().unwrap();
    assert_eq!(store.asked(), [("invalidate", 3)]);
    shared.remove_many(KEYS).await.all().unwrap();
    assert_eq!(store.asked(), [("invalidate", 3)]);
}
