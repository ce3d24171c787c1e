//! `publish` and `mirror`: one process keeps a value fresh in a store, others hold copies of their own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::Json;
use larder_core::{Cache, ErrorKind, LoadError, Operation, Refreshed};
use larder_testkit::{Fake, FakeBytes, Gate, MockClock, settle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

type Rates = Cache<str, usize>;

/// What processes share.
#[derive(Clone, Default)]
struct Service {
    clock: MockClock,
    store: FakeBytes,
}

impl Service {
    /// The cache of another process.
    fn process(&self) -> Rates {
        let far = Cache::new(self.store.clone()).codec(Json);
        Cache::new(Fake::<str, usize>::new()).chain(far).ttl(60 * MINUTE).clock(self.clock.clone()).boxed()
    }

    fn reads(&self) -> usize {
        self.store.count(Operation::Read)
    }
}

/// Publishes the number of the load.
fn published(rates: &Rates, interval: Duration) -> Refreshed<usize, &'static str> {
    let loads = Arc::new(AtomicUsize::new(0));
    rates
        .publish(interval, "EUR", move || {
            let number = loads.fetch_add(1, SeqCst) + 1;
            async move { Ok(number) }
        })
        .unwrap()
}

#[tokio::test]
async fn what_one_publishes_others_hold_after_their_interval() {
    let service = Service::default();
    let writer = published(&service.process(), MINUTE);
    assert_eq!(writer.ready().await.unwrap(), 1);
    let mirror = service.process().mirror("EUR", 10 * SECOND);
    assert_eq!(mirror.ready().await.unwrap(), Some(1));
    service.clock.run(MINUTE).await;
    for number in 2..5 {
        assert_eq!(writer.get(), Some(number));
        service.clock.run(10 * SECOND).await;
        assert_eq!(mirror.get(), Some(number));
        assert_eq!(mirror.age(), Some(10 * SECOND));
        service.clock.run(50 * SECOND).await;
    }
}

// A-d15: 1,000 reads of an absent key were 1,001 calls to the store.
#[tokio::test]
async fn reading_a_mirror_asks_nobody_whether_there_is_a_value_or_not() {
    let service = Service::default();
    let rates = service.process();
    let mirror = rates.mirror("EUR", MINUTE);
    assert_eq!(mirror.ready().await.unwrap(), None);
    let reads = service.reads();
    assert!((0..1_000).all(|_| mirror.get().is_none()));
    rates.insert("EUR", 7).await.unwrap();
    service.clock.run(MINUTE).await;
    assert!((0..1_000).all(|_| mirror.get() == Some(7)));
    assert_eq!(service.reads(), reads + 1);

    rates.remove("EUR").await.unwrap();
    assert_eq!(mirror.get(), Some(7), "until it looks");
    service.clock.run(MINUTE).await;
    assert_eq!(mirror.get(), Some(7), "it looks once more");
    service.clock.run(SECOND / 10).await;
    assert_eq!(mirror.get(), None);
}

// An insertion removes what was there before it writes.
#[tokio::test]
async fn a_mirror_that_looks_between_the_two_halves_of_an_insertion_keeps_its_value() {
    let service = Service::default();
    let rates = service.process();
    rates.insert("EUR", 1).await.unwrap();
    let mirror = service.process().mirror("EUR", MINUTE);
    assert_eq!(mirror.ready().await.unwrap(), Some(1));
    rates.remove("EUR").await.unwrap();
    service.clock.run(MINUTE).await;
    rates.insert("EUR", 2).await.unwrap();
    assert_eq!(mirror.get(), Some(1));
    service.clock.run(SECOND / 10).await;
    assert_eq!(mirror.get(), Some(2));
}

#[tokio::test]
async fn in_an_outage_the_last_value_stays_and_its_age_is_told() {
    let service = Service::default();
    let rates = service.process();
    rates.insert("EUR", 7).await.unwrap();
    let mirror = rates.mirror("EUR", MINUTE);
    assert_eq!(mirror.ready().await.unwrap(), Some(7));
    service.store.fail(&[Operation::Read]);
    service.clock.run(10 * MINUTE).await;
    assert_eq!((mirror.get(), mirror.age()), (Some(7), Some(10 * MINUTE)));
    assert_eq!(mirror.last_error().unwrap().kind(), ErrorKind::Store);
    assert!(mirror.refresh().await.is_err());

    service.store.fail(&[]);
    assert_eq!(mirror.refresh().await.unwrap(), Some(7));
    assert!(mirror.last_error().is_none());
}

#[tokio::test]
async fn who_begins_in_an_outage_is_told_why_there_is_nothing() {
    let service = Service::default();
    service.store.fail(&[Operation::Read]);
    let mirror = service.process().mirror("EUR", MINUTE);
    assert_eq!(mirror.ready().await.unwrap_err().kind(), ErrorKind::Store);
    service.store.fail(&[]);
    service.process().insert("EUR", 7).await.unwrap();
    service.clock.run(SECOND).await;
    assert_eq!(mirror.get(), Some(7), "it is tried again soon");
}

// A48.
#[tokio::test]
async fn each_mirror_is_one_of_its_own() {
    let service = Service::default();
    let rates = service.process();
    rates.insert("EUR", 1).await.unwrap();
    let (often, seldom) = (rates.mirror("EUR", SECOND), rates.mirror("EUR", MINUTE));
    settle().await;
    rates.insert("EUR", 2).await.unwrap();
    service.clock.run(SECOND).await;
    assert_eq!((often.get(), seldom.get()), (Some(2), Some(1)));
    let reader = often.reader();
    often.shutdown().await;
    rates.insert("EUR", 3).await.unwrap();
    service.clock.run(MINUTE).await;
    assert_eq!((reader.get(), seldom.get()), (Some(2), Some(3)));
}

#[tokio::test]
async fn a_mirror_reads_past_the_memory_in_front() {
    let service = Service::default();
    let (reading, writing) = (service.process(), service.process());
    writing.insert("EUR", 1).await.unwrap();
    assert_eq!(reading.get("EUR").await.unwrap(), Some(1));
    writing.insert("EUR", 2).await.unwrap();
    let mirror = reading.mirror("EUR", MINUTE);
    assert_eq!(mirror.ready().await.unwrap(), Some(2));
}

#[tokio::test]
async fn within_a_process_a_reader_shares_the_copy_of_the_writer() {
    let service = Service::default();
    let writer = published(&service.process(), MINUTE);
    let reader = writer.reader();
    writer.ready().await.unwrap();
    assert_eq!(reader.get(), Some(1));
    service.clock.run(MINUTE).await;
    assert_eq!(reader.get(), Some(2));
    assert_eq!(service.reads(), 1, "a look at the beginning");
}

// A44, A-d12: the second one silently took the first one's place.
#[tokio::test]
async fn a_process_has_one_writer_of_a_key() {
    let service = Service::default();
    let (one, two) = (service.process(), service.process());
    let first = published(&one, MINUTE);
    let load = async || Ok::<_, &str>(7);
    let second = two.publish(MINUTE, "EUR", load).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::DuplicateWriter);
    assert!(second.to_string().contains("`.reader()`"), "{second}");
    let other_key = two.publish(MINUTE, "USD", load).unwrap();
    assert_eq!(first.ready().await.unwrap(), 1, "the first one goes on");

    drop((first, other_key));
    let again = two.publish(MINUTE, "EUR", load).unwrap();
    again.shutdown().await;
    assert!(one.publish(MINUTE, "EUR", load).is_ok());
}

#[tokio::test]
async fn what_nobody_else_could_read_is_not_published() {
    let rates: Rates = Cache::new(Fake::new()).boxed();
    let refused = rates.publish(MINUTE, "EUR", async || Ok::<_, &str>(7)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("Redis"), "{refused}");
}

// A45.
#[tokio::test]
async fn a_writer_that_fails_keeps_what_is_there_and_says_why() {
    let service = Service::default();
    let (rates, is_closed, gate) = (service.process(), Arc::new(AtomicBool::new(false)), Gate::new());
    let (bank, passed) = (Arc::clone(&is_closed), gate.clone());
    let writer = rates
        .publish(MINUTE, "EUR", move || {
            let (bank, passed) = (Arc::clone(&bank), passed.clone());
            async move {
                passed.pass().await;
                if bank.load(SeqCst) { Err("closed") } else { Ok(7) }
            }
        })
        .unwrap();
    writer.ready().await.unwrap();
    is_closed.store(true, SeqCst);
    assert!(matches!(writer.refresh().await, Err(LoadError::Load(error)) if *error == "closed"));
    assert_eq!((writer.get(), service.process().get("EUR").await.unwrap()), (Some(7), Some(7)));

    is_closed.store(false, SeqCst);
    service.store.fail(&[Operation::Write]);
    assert!(matches!(writer.refresh().await, Err(LoadError::Store(_))), "nobody else has got it");
    service.store.fail(&[]);
    assert_eq!(writer.refresh().await.unwrap(), 7);
}
