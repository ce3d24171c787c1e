//! How often a value is cloned: once a hit, and n − 1 times for an insert into n levels of memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::Cache;
use larder_testkit::{Fake, MockClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, SeqCst);
        Counted(Arc::clone(&self.0))
    }
}

fn counted() -> (Counted, Arc<AtomicUsize>) {
    let clones = Arc::new(AtomicUsize::new(0));
    (Counted(Arc::clone(&clones)), clones)
}

fn levels(number: usize) -> Cache<u64, Counted> {
    let level = || Cache::new(Fake::<u64, Counted>::new()).clock(MockClock::new());
    match number {
        1 => level().boxed(),
        2 => level().chain(level()).boxed(),
        _ => level().chain(level().chain(level())).boxed(),
    }
}

#[tokio::test]
async fn an_insert_into_n_levels_of_memory_clones_n_minus_one_times() {
    for number in 1..=3 {
        let (value, clones) = counted();
        levels(number).insert(&1, value).await.unwrap();
        assert_eq!(clones.load(SeqCst), number - 1, "{number} levels");
    }
}

#[tokio::test]
async fn a_hit_clones_once_whichever_method_asks() {
    for number in 1..=3 {
        let (cache, (value, clones)) = (levels(number), counted());
        cache.insert(&1, value).await.unwrap();
        let before = || clones.swap(0, SeqCst);

        before();
        drop(cache.get(&1).await.unwrap().unwrap());
        assert_eq!(before(), 1, "get");
        drop(cache.get_now(&1).unwrap());
        assert_eq!(before(), 1, "get_now");
        drop(cache.get_or_insert_with(&1, async || unreachable!()).await);
        assert_eq!(before(), 1, "get_or_insert_with");
        drop(cache.lookup(&1).await.unwrap());
        assert_eq!(before(), 1, "lookup");
    }
}
