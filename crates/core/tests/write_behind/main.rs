//! Write-behind: what is queued is read, written once, in order, and never after it was removed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ends;
mod failures;
mod queueing;
mod removals;
mod runtimes;

use bytes::Bytes;
use larder_core::{Behind, Cache, Operation, Raw};
use larder_testkit::{FakeBytes, MockClock, Recorder};
use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MILLI: Duration = Duration::from_millis(1);

pub(crate) struct One {
    pub(crate) store: FakeBytes,
    pub(crate) clock: MockClock,
    pub(crate) events: Recorder,
    pub(crate) cache: Cache<str, Bytes, FakeBytes, Raw>,
}

/// One level of bytes that is written behind.
pub(crate) fn one_level(behind: Behind) -> One {
    let (store, clock, events) = (FakeBytes::new(), MockClock::new(), Recorder::new());
    let cache = Cache::new(store.clone()).write(behind).clock(clock.clone()).observer(events.clone());
    One { store, clock, events, cache }
}

impl One {
    pub(crate) async fn insert(&self, key: &'static str, value: &'static str) {
        self.cache.insert(key, value.into()).await.unwrap();
    }

    /// What the store has, as someone without the queue reads it.
    pub(crate) async fn stored(&self, key: &str) -> Option<Bytes> {
        let bytes = self.store.raw(&format!("larder:{key}"))?;
        let copy = FakeBytes::new();
        copy.put_raw(&format!("larder:{key}"), bytes);
        Cache::new(copy).clock(self.clock.clone()).get(key).await.unwrap()
    }

    pub(crate) fn writes(&self) -> usize {
        self.store.count(Operation::Write)
    }

    pub(crate) fn pending(&self) -> Option<u64> {
        self.cache.stats().levels[0].pending
    }

    pub(crate) fn close(&self, operation: Operation) {
        self.store.gate(operation).close();
    }

    pub(crate) fn open(&self, operation: Operation) {
        self.store.gate(operation).open();
    }
}

pub(crate) type Behinds = Cache<str, Bytes, FakeBytes, Raw>;

pub(crate) fn level(store: &FakeBytes, behind: Behind) -> Behinds {
    Cache::new(store.clone()).write(behind).clock(MockClock::new())
}
