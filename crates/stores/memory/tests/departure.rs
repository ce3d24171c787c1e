//! What the listener is told.

#[path = "support/at_once.rs"]
#[allow(dead_code, reason = "shared by several tests, none of which uses all")]
mod support;

use larder_core::Store;
use larder_memory::Departure::{self, Cleared, Evicted, Expired, Removed, Replaced};
use larder_memory::Memory;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use support::{at, at_once, keep, keep_until, usage, value};

type Log = Arc<Mutex<Vec<(String, u64, Departure)>>>;

/// Has a store write down what leaves it.
fn logging(memory: Memory<str, u64>) -> (Memory<str, u64>, Log) {
    let log = Log::default();
    let departed = Arc::clone(&log);
    let memory = memory.on_departure(move |key: &str, value, why| {
        departed.lock().expect("nothing panics while it is held").push((key.to_owned(), value, why));
    });
    (memory, log)
}

/// Returns what was logged since the last time.
fn take(log: &Log) -> Vec<(String, u64, Departure)> {
    std::mem::take(&mut *log.lock().expect("nothing panics while it is held"))
}

fn one(key: &str, value: u64, why: Departure) -> Vec<(String, u64, Departure)> {
    vec![(key.to_owned(), value, why)]
}

#[test]
fn every_way_out_has_its_name() {
    let (memory, log) = logging(Memory::new(2));

    keep(&memory, "a", 1);
    assert_eq!(take(&log), []);
    keep(&memory, "a", 2);
    assert_eq!(take(&log), one("a", 1, Replaced));
    at_once(memory.remove("a"));
    assert_eq!(take(&log), one("a", 2, Removed));
    at_once(memory.remove("a"));
    assert_eq!(take(&log), []);
    keep_until(&memory, "b", 3, 5);
    memory.sweep(at(5));
    assert_eq!(take(&log), one("b", 3, Expired));
    keep(&memory, "c", 4);
    let _ = at_once(memory.clear());
    assert_eq!(take(&log), one("c", 4, Cleared));
    keep(&memory, "d", 5);
    assert_eq!(memory.remove_where(&|key, value| (key, *value) == ("d", 5)), Some(1));
    assert_eq!(take(&log), one("d", 5, Removed));
}

#[test]
fn an_eviction_names_the_entry_that_had_to_go() {
    let (memory, log) = logging(Memory::new(1));
    for key in 0..10_u64 {
        keep(&memory, &key.to_string(), key);
    }
    let evicted: Vec<_> = (0..9).flat_map(|key: u64| one(&key.to_string(), key, Evicted)).collect();
    assert_eq!(take(&log), evicted);
}

#[test]
fn an_entry_too_heavy_replaces_and_is_evicted_at_once() {
    for max_weight in [100, 10_000] {
        let (memory, log) = logging(Memory::weighted(max_weight, |_: &str, value: &u64| *value));

        keep(&memory, "a", 5);
        keep(&memory, "a", max_weight + 1);
        let mut expected = one("a", 5, Replaced);
        expected.extend(one("a", max_weight + 1, Evicted));
        assert_eq!(take(&log), expected);

        keep(&memory, "a", max_weight + 2);
        assert_eq!(take(&log), one("a", max_weight + 2, Evicted));
    }
}

/// A replacement can be so heavy that others have to go for it, in the same insert.
#[test]
fn what_a_heavier_value_replaces_and_what_it_drives_out_are_told_apart() {
    let (memory, log) = logging(Memory::weighted(100, |_: &str, value: &u64| *value));
    for key in ["a", "b", "c", "d"] {
        keep(&memory, key, 20);
    }

    keep(&memory, "d", 90);
    let mut departed = take(&log);
    departed.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let expected = [("a", Evicted), ("b", Evicted), ("c", Evicted), ("d", Replaced)];
    assert_eq!(departed, expected.map(|(key, why)| (key.to_owned(), 20, why)));
    assert_eq!(value(&memory, "d"), Some(90));
}

/// Whatever was inserted has either left, with one report, or is still there.
#[test]
fn every_value_is_reported_once_or_still_there() {
    for memory in
        [Memory::new(50), Memory::weighted(300, |_: &str, value: &u64| value % 20), Memory::new(1_100)]
    {
        let (memory, log) = logging(memory);
        let mut left = HashMap::new();
        for step in 0..30_000_u64 {
            let random = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let few = if random % 2 == 0 { 40 } else { 3_000 };
            let key = (random / 2 % few).to_string();
            match (random >> 13) % 16 {
                0 => at_once(memory.remove(&key)),
                1 if step % 50 == 0 => memory.sweep(at(step)),
                2 if step % 500 == 0 => drop(at_once(memory.clear())),
                3 | 4 => drop(value(&memory, key.as_str())),
                5 => keep(&memory, key.as_str(), step),
                _ => keep_until(&memory, key.as_str(), step, step + 1 + random % 5_000),
            }
            for (key, value, why) in take(&log) {
                assert_eq!(left.insert(value, why), None, "{key} left twice");
            }
        }
        for why in [Removed, Expired, Evicted, Cleared, Replaced] {
            assert!(left.values().any(|left| *left == why), "none was {why:?}");
        }

        let there = usage(&memory).entries;
        let _ = at_once(memory.clear());
        let cleared = take(&log);
        assert_eq!(cleared.len() as u64, there);
        assert!(cleared.iter().all(|(_, value, _)| !left.contains_key(value)));
    }
}

#[test]
fn the_listener_may_use_the_store() {
    let own = Arc::new(OnceLock::<Weak<Memory<u64, u64>>>::new());
    let known = Arc::clone(&own);
    let memory = Memory::<u64, u64>::new(1).on_departure(move |key: &u64, number, why| {
        let memory = known.get().and_then(Weak::upgrade).unwrap();
        assert_eq!(value(&*memory, &u64::MAX), None);
        // What is evicted comes back under another key, until it is exhausted.
        if why == Evicted && number > 0 {
            keep(&*memory, &(key + 1_000), number - 1);
        }
    });
    let memory = Arc::new(memory);
    own.set(Arc::downgrade(&memory)).unwrap();

    keep(&*memory, &1, 3);
    keep(&*memory, &2, 0);
    assert_eq!(usage(&*memory).entries, 1);
    let _ = at_once(memory.clear());
    keep_until(&*memory, &3, 0, 1);
    memory.sweep(at(1));
    assert_eq!(usage(&*memory).entries, 0);
}

#[test]
fn a_listener_that_panics_harms_nobody() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let memory = Memory::<str, u64>::new(3).on_departure(move |_: &str, _, _| {
        count.fetch_add(1, SeqCst);
        panic!("the listener's own");
    });

    for key in ["a", "b", "c"] {
        keep_until(&memory, key, 1, 5);
    }
    keep(&memory, "a", 2);
    assert_eq!((value(&memory, "a"), told.load(SeqCst)), (Some(2), 1));
    memory.sweep(at(5));
    assert_eq!((usage(&memory).entries, told.load(SeqCst)), (1, 3));
    at_once(memory.remove("a"));
    for key in ["d", "e"] {
        keep(&memory, key, 1);
    }
    let _ = at_once(memory.clear());
    assert_eq!((usage(&memory).entries, told.load(SeqCst)), (0, 6));
    keep(&memory, "f", 7);
    assert_eq!(value(&memory, "f"), Some(7));
}

/// A value that counts its clones.
struct Counting(Arc<AtomicUsize>);

impl Clone for Counting {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, SeqCst);
        Counting(Arc::clone(&self.0))
    }
}

#[test]
fn a_hit_clones_the_value_once_and_nothing_else_does() {
    let clones = Arc::new(AtomicUsize::new(0));
    let listening = Memory::new(1).on_departure(|_: &u64, _: Counting, _| {});
    for memory in [Memory::new(1), Memory::weighted(1, |_: &u64, _: &Counting| 1), listening] {
        for key in [1, 1, 2, 3] {
            keep_until(&memory, &key, Counting(Arc::clone(&clones)), 5);
        }
        memory.sweep(at(5));
        for key in [4, 5] {
            keep(&memory, &key, Counting(Arc::clone(&clones)));
        }
        at_once(memory.remove(&5));
        keep(&memory, &6, Counting(Arc::clone(&clones)));
        assert_eq!(clones.swap(0, SeqCst), 0);

        assert!(memory.get_now(&6).is_ready());
        assert_eq!(clones.swap(0, SeqCst), 1);
        assert!(value(&memory, &6).is_some());
        assert_eq!(clones.swap(0, SeqCst), 1);
        let _ = at_once(memory.clear());
        assert_eq!(clones.swap(0, SeqCst), 0);
    }
}

/// A value that looks into its store when it is dropped: it hangs if that happens under a lock.
#[derive(Clone)]
struct Curious(Arc<OnceLock<Weak<Memory<u64, Curious>>>>, Arc<AtomicUsize>);

impl Drop for Curious {
    fn drop(&mut self) {
        if let Some(memory) = self.0.get().and_then(Weak::upgrade) {
            at_once(memory.remove(&u64::MAX));
            self.1.fetch_add(1, SeqCst);
        }
    }
}

#[test]
fn values_are_dropped_under_no_lock() {
    let weigher = |_: &u64, _: &Curious| 5;
    for (memory, capacity) in [(Memory::new(2), 2), (Memory::weighted(10, weigher), 2)] {
        let (own, drops) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
        let curious = || Curious(Arc::clone(&own), Arc::clone(&drops));
        let memory = Arc::new(memory);
        own.set(Arc::downgrade(&memory)).unwrap();

        for key in 0..5 {
            keep_until(&*memory, &key, curious(), 1);
        }
        assert_eq!(drops.load(SeqCst), 5 - capacity, "evicted");
        keep_until(&*memory, &4, curious(), 1);
        assert_eq!(drops.load(SeqCst), 6 - capacity, "replaced");
        memory.sweep(at(1));
        assert_eq!(drops.load(SeqCst), 6, "expired");
        keep(&*memory, &1, curious());
        at_once(memory.remove(&1));
        assert_eq!(drops.load(SeqCst), 7, "removed");
        keep(&*memory, &1, curious());
        let _ = at_once(memory.clear());
        assert_eq!(drops.load(SeqCst), 8, "cleared");
    }
}
