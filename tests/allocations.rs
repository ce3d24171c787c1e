//! Promise 13: a hit at a first level in memory allocates nothing of its own, static and boxed, with statistics on.
#![cfg(all(feature = "memory", feature = "object"))]

use allocation_counter::measure;
use bytes::Bytes;
use larder::prelude::*;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Polls once: a hit never suspends.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a hit suspended"),
    }
}

/// Returns what `work` allocates once everything that is made on first use is there.
fn allocations(work: impl Fn()) -> u64 {
    work();
    measure(|| (0..100).for_each(|_| work())).count_total
}

macro_rules! hits_allocate_nothing {
    ($cache:expr) => {{
        let cache = $cache;
        assert_eq!(allocations(|| assert!(at_once(cache.get("ada")).unwrap().is_some())), 0, "get");
        assert_eq!(allocations(|| assert!(cache.get_now("ada").is_some())), 0, "get_now");
        let load = || at_once(cache.get_or_load("ada", async || Err::<Arc<str>, _>(()))).unwrap();
        assert_eq!(allocations(|| drop(load())), 0, "get_or_load");
        let load = || at_once(cache.get_or_load_scoped("ada", async || Err::<Arc<str>, _>(()))).unwrap();
        assert_eq!(allocations(|| drop(load())), 0, "get_or_load_scoped");
        let make = || at_once(cache.get_or_insert_with("ada", async || unreachable!()));
        assert_eq!(allocations(|| drop(make())), 0, "get_or_insert_with");
        assert_eq!(allocations(|| assert!(at_once(cache.lookup("ada")).unwrap().is_some())), 0, "lookup");
    }};
}

#[test]
fn a_hit_in_memory_alone_allocates_nothing() {
    let cache = Cache::new(Memory::<str, Arc<str>>::new(100)).ttl(hours(1)).stale(minutes(1));
    at_once(cache.insert("ada", "countess".into())).unwrap();
    hits_allocate_nothing!(cache.clone());
    hits_allocate_nothing!(cache.boxed());
}

#[test]
fn a_hit_at_the_first_of_two_levels_allocates_nothing() {
    let cache = Cache::new(Memory::<str, Arc<str>>::new(100))
        .ttl(minutes(5))
        .stale(minutes(1))
        .chain(Cache::new(Memory::new(100)).ttl(hours(1)));
    at_once(cache.insert("ada", "countess".into())).unwrap();
    hits_allocate_nothing!(cache.clone());
    hits_allocate_nothing!(cache.boxed());
}

#[test]
fn a_hit_in_front_of_a_store_of_bytes_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cache =
        Cache::new(Memory::<str, Bytes>::new(100)).ttl(minutes(5)).chain(Cache::new(Object::in_memory()));
    runtime.block_on(cache.insert("ada", "countess".into())).unwrap();
    let boxed = cache.clone().boxed();
    assert_eq!(allocations(|| assert!(at_once(cache.get("ada")).unwrap().is_some())), 0, "static");
    assert_eq!(allocations(|| assert!(at_once(boxed.get("ada")).unwrap().is_some())), 0, "boxed");
}

#[test]
fn a_hit_of_an_entry_with_tags_allocates_nothing_whether_anything_was_invalidated_or_not() {
    let cache = Cache::new(Memory::<str, Arc<str>>::new(100)).ttl(hours(1));
    let tagged = |entry: larder::InsertOptions| entry.tag("a").tag("b").tag("c").tag("d");
    at_once(cache.insert_with("ada", "countess".into(), tagged)).unwrap();
    hits_allocate_nothing!(cache.clone());
    at_once(cache.invalidate_tag("another")).unwrap();
    assert!(measure(|| assert!(cache.get_now("ada").is_some())).count_total == 0, "judged anew");
    hits_allocate_nothing!(cache.boxed());
}

#[test]
fn a_miss_in_memory_alone_allocates_nothing() {
    let cache = Cache::new(Memory::<str, Arc<str>>::new(100)).ttl(hours(1));
    assert_eq!(allocations(|| assert!(at_once(cache.get("bob")).unwrap().is_none())), 0);
}
