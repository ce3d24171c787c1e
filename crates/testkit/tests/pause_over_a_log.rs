//! A cache that leaves its levels alone for a while, over a store with a log of invalidations.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/memory_log.rs"]
mod memory_log;

use bytes::Bytes;
use larder_core::Cache;
use larder_testkit::{Fake, Loader, MockClock};
use memory_log::{Flaw, MemoryLog};

/// The cache of a process of its own, which has copies in memory.
fn process(store: &MemoryLog) -> Cache<str, Bytes> {
    Cache::new(Fake::new()).chain(Cache::new(store.clone())).clock(MockClock::new()).boxed()
}

#[tokio::test]
async fn nothing_is_prepared_in_the_store_for_what_will_not_be_written() {
    let store = MemoryLog::new(Flaw::None);
    let here = process(&store);
    let loader: Loader<Bytes> = Loader::value("36".into());
    here.pause_writes();
    here.get_or_load("ada", loader.load()).await.unwrap();
    assert_eq!(store.records(), 0);
    here.resume_writes();
    here.get_or_load("ada", loader.load()).await.unwrap();
    assert_eq!(process(&store).get("ada").await.unwrap(), Some("36".into()));
}

#[tokio::test]
async fn an_insertion_in_a_pause_takes_the_old_value_from_other_processes() {
    let store = MemoryLog::new(Flaw::None);
    let (here, there) = (process(&store), process(&store));
    here.insert("ada", "35".into()).await.unwrap();
    assert_eq!(there.get("ada").await.unwrap(), Some("35".into()));
    here.pause_writes();
    here.insert("ada", "36".into()).await.unwrap();
    here.resume_writes();
    assert_eq!(here.get("ada").await.unwrap(), None);
    assert_eq!(process(&store).get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_loaded_while_reads_are_paused_is_kept_in_memory_only() {
    let store = MemoryLog::new(Flaw::None);
    let here = process(&store);
    here.pause_reads();
    here.get_or_load("ada", Loader::<Bytes>::value("36".into()).load()).await.unwrap();
    here.resume_reads();
    assert_eq!(here.get("ada").await.unwrap(), Some("36".into()));
    assert_eq!(process(&store).get("ada").await.unwrap(), None);
}
