//! What one process publishes reaches the mirrors of others at once, where there is a bus.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/memory_log.rs"]
mod memory_log;

use bytes::Bytes;
use larder_core::{Answer, Bus, Cache, Coherence, Listener, LocalBus, Mirror, Refreshed};
use larder_testkit::{Fake, MockClock, settle};
use memory_log::{Flaw, MemoryLog};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A bus whose connection can be lost.
#[derive(Clone, Default)]
struct Line {
    bus: LocalBus,
    is_cut: Arc<AtomicBool>,
    listeners: Arc<Mutex<Vec<Weak<dyn Listener>>>>,
}

impl Line {
    fn cut(&self) {
        self.is_cut.store(true, SeqCst);
    }

    fn mend(&self) {
        self.is_cut.store(false, SeqCst);
        let listeners = self.listeners.lock().clone();
        listeners.iter().filter_map(Weak::upgrade).for_each(|listener| listener.missed());
    }
}

impl Bus for Line {
    fn publish(&self, message: Bytes) -> Answer<'_, ()> {
        if self.is_cut.load(SeqCst) { Box::pin(async { Ok(()) }) } else { self.bus.publish(message) }
    }
    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.listeners.lock().push(Weak::clone(&listener));
        self.bus.subscribe(listener);
    }
    fn place(&self) -> String {
        self.bus.place()
    }
}

struct Service {
    clock: MockClock,
    store: MemoryLog,
    line: Line,
}

impl Service {
    fn new() -> Self {
        Service { clock: MockClock::new(), store: MemoryLog::new(Flaw::None), line: Line::default() }
    }

    /// The cache of another process.
    fn process(&self) -> Cache<str, Bytes> {
        let line = Arc::new(self.line.clone());
        let group = Coherence::options().clock(self.clock.clone()).bus(line).over(&self.store).unwrap();
        let far = Cache::new(self.store.clone());
        let near = Cache::new(Fake::<str, Bytes>::new()).chain(far).ttl(2 * DAY);
        near.clock(self.clock.clone()).coherence(&group).boxed()
    }
}

/// Publishes the number of the load.
fn published(rates: &Cache<str, Bytes>) -> Refreshed<Bytes, String> {
    let loads = AtomicUsize::new(0);
    rates
        .publish(MINUTE, "EUR", move || {
            let number = loads.fetch_add(1, SeqCst) + 1;
            async move { Ok(Bytes::from(number.to_string())) }
        })
        .unwrap()
}

fn number(mirror: &Mirror<Bytes>) -> Option<u32> {
    mirror.get().map(|bytes| std::str::from_utf8(&bytes).unwrap().parse().unwrap())
}

#[tokio::test]
async fn what_is_published_is_there_at_once_however_long_the_interval() {
    let service = Service::new();
    let rates = service.process();
    let writer = published(&rates);
    writer.ready().await.unwrap();
    let (here, there) = (rates.mirror("EUR", DAY), service.process().mirror("EUR", DAY));
    let other = service.process().mirror("CHF", DAY);
    for mirror in [&here, &there, &other] {
        mirror.ready().await.unwrap();
    }
    for expected in 2..10 {
        service.clock.run(MINUTE).await;
        settle().await;
        assert_eq!((number(&here), number(&there), number(&other)), (Some(expected), Some(expected), None));
    }
    writer.refresh().await.unwrap();
    settle().await;
    assert_eq!((number(&here), number(&there)), (Some(10), Some(10)), "by hand too");
}

#[tokio::test]
async fn there_is_never_nothing_between_two_values() {
    let service = Service::new();
    let writer = published(&service.process());
    writer.ready().await.unwrap();
    let mirror = service.process().mirror("EUR", DAY);
    mirror.ready().await.unwrap();
    for _ in 0..20 {
        let (refreshed, seen) = tokio::join!(writer.refresh(), async {
            let mut seen = Vec::new();
            for _ in 0..50 {
                seen.push(number(&mirror));
                tokio::task::yield_now().await;
            }
            seen
        });
        refreshed.unwrap();
        assert!(seen.iter().all(Option::is_some), "{seen:?}");
        assert!(seen.is_sorted());
    }
}

#[tokio::test]
async fn what_a_bus_that_was_away_did_not_tell_is_read_when_it_is_back() {
    let service = Service::new();
    let writer = published(&service.process());
    writer.ready().await.unwrap();
    let mirror = service.process().mirror("EUR", DAY);
    mirror.ready().await.unwrap();
    service.line.cut();
    service.clock.run(5 * MINUTE).await;
    assert_eq!(number(&mirror), Some(1));
    service.line.mend();
    settle().await;
    assert_eq!(number(&mirror), Some(6));
}

#[tokio::test]
async fn a_mirror_that_is_gone_is_not_told() {
    let service = Service::new();
    let rates = service.process();
    let writer = published(&rates);
    writer.ready().await.unwrap();
    let mirror = rates.mirror("EUR", DAY);
    mirror.ready().await.unwrap();
    let reader = mirror.reader();
    mirror.shutdown().await;
    service.clock.run(MINUTE).await;
    settle().await;
    assert_eq!(reader.get(), Some(Bytes::from("1")));
}
