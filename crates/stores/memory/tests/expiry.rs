//! Dead entries are freed without being read, and none is forgotten.

#[path = "support/at_once.rs"]
#[allow(dead_code, reason = "shared by several tests, none of which uses all")]
mod support;

use larder_core::Store;
use larder_memory::Memory;
use std::hash::{Hash, Hasher};
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use support::{at, keep, keep_until, usage, value};

#[test]
fn a_sweep_frees_what_is_dead_and_nothing_else() {
    let memory = Memory::<str, u64>::new(10);
    keep_until(&memory, "short", 1, 5);
    keep_until(&memory, "long", 2, 6);
    keep(&memory, "endless", 3);

    memory.sweep(at(4));
    assert_eq!(usage(&memory).entries, 3);
    memory.sweep(at(5));
    assert_eq!((value(&memory, "short"), value(&memory, "long")), (None, Some(2)));
    memory.sweep(at(6));
    assert_eq!((value(&memory, "long"), value(&memory, "endless")), (None, Some(3)));
}

#[test]
fn every_shard_is_swept() {
    let memory = Memory::<u64, u64>::new(50_000);
    for key in 0..20_000 {
        keep_until(&memory, &key, key, 1 + key % 2);
    }

    memory.sweep(at(1));
    assert_eq!(usage(&memory).entries, 10_000);
    memory.sweep(at(2));
    assert_eq!((usage(&memory).entries, usage(&memory).weight), (0, 0));
}

#[test]
fn an_entry_that_was_replaced_lives_as_long_as_the_new_one() {
    let memory = Memory::<str, u64>::new(10);
    keep_until(&memory, "a", 1, 5);
    keep_until(&memory, "a", 2, 9);

    memory.sweep(at(5));
    assert_eq!(value(&memory, "a"), Some(2));
    memory.sweep(at(9));
    assert_eq!(usage(&memory).entries, 0);
}

#[test]
fn a_shorter_life_that_comes_later_is_not_overlooked() {
    let memory = Memory::<str, u64>::new(10);
    keep_until(&memory, "long", 1, 100);
    keep_until(&memory, "short", 2, 5);
    memory.sweep(at(5));
    keep_until(&memory, "shorter than what was left", 3, 6);

    memory.sweep(at(6));
    assert_eq!(usage(&memory).entries, 1);
    memory.sweep(at(100));
    assert_eq!(usage(&memory).entries, 0);
}

#[test]
fn a_weighted_store_is_swept_too() {
    let memory = Memory::<str, u64>::weighted(100, |_: &str, value: &u64| *value);
    keep_until(&memory, "a", 30, 5);
    keep_until(&memory, "b", 20, 6);

    memory.sweep(at(5));
    assert_eq!((usage(&memory).entries, usage(&memory).weight), (1, 20));
}

/// Above 100,000 entries a sweep may wait, and then catches up.
#[test]
fn a_large_store_is_swept_again_after_10_microseconds_an_entry() {
    let memory = Memory::<u64, u64>::new(1_000_000);
    for key in 0..200_000 {
        keep(&memory, &key, key);
    }
    keep_until(&memory, &1, 0, 10);
    keep_until(&memory, &2, 0, 11);
    keep_until(&memory, &3, 0, 12);

    memory.sweep(at(10));
    assert_eq!(usage(&memory).entries, 199_999);
    memory.sweep(at(11));
    assert_eq!(usage(&memory).entries, 199_999);
    memory.sweep(at(12));
    assert_eq!(usage(&memory).entries, 199_997);
}

/// A key that, when it is armed, stops whoever hashes it: an insert or a removal that has begun, and has not
/// reached the table.
#[derive(Clone)]
struct Stopping(&'static str, Option<Arc<Stop>>);

struct Stop {
    armed: AtomicBool,
    reached: Barrier,
    go_on: Barrier,
}

impl Stop {
    fn armed(armed: bool) -> Arc<Self> {
        Arc::new(Stop { armed: armed.into(), reached: Barrier::new(2), go_on: Barrier::new(2) })
    }
}

impl PartialEq for Stopping {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Stopping {}

impl Hash for Stopping {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(stop) = &self.1
            && stop.armed.swap(false, SeqCst)
        {
            stop.reached.wait();
            stop.go_on.wait();
        }
        self.0.hash(state);
    }
}

/// Fails if the deadline is noted before the entry is in the table: the sweep in between forgets it.
#[test]
fn an_insert_that_a_sweep_overtakes_is_not_forgotten() {
    let memory = Memory::<Stopping, u64>::new(10);
    keep_until(&memory, &Stopping("due", None), 1, 1);
    let stop = Stop::armed(true);
    let slow = Stopping("slow", Some(Arc::clone(&stop)));

    thread::scope(|scope| {
        scope.spawn(|| keep_until(&memory, &slow, 2, 2));
        stop.reached.wait();
        memory.sweep(at(1));
        assert_eq!(usage(&memory).entries, 0);
        stop.go_on.wait();
    });
    assert_eq!(usage(&memory).entries, 1);

    memory.sweep(at(2));
    assert_eq!(usage(&memory).entries, 0);
}

/// Fails if a sweep takes out by key alone what it has found dead.
#[test]
fn an_insert_under_the_key_of_a_dead_entry_survives_the_sweep_of_it() {
    let memory = Memory::<Stopping, u64>::new(10);
    let stop = Stop::armed(false);
    keep_until(&memory, &Stopping("a", Some(Arc::clone(&stop))), 1, 1);
    stop.armed.store(true, SeqCst);

    thread::scope(|scope| {
        scope.spawn(|| memory.sweep(at(1)));
        stop.reached.wait();
        keep_until(&memory, &Stopping("a", None), 2, 9);
        stop.go_on.wait();
    });
    assert_eq!(value(&memory, &Stopping("a", None)), Some(2));

    memory.sweep(at(9));
    assert_eq!(usage(&memory).entries, 0);
}

/// Fails if the earliest deadline of the survivors takes the place of what was noted while they were read.
#[test]
fn an_insert_behind_a_sweep_is_not_forgotten() {
    let memory = Memory::<u64, u64>::new(50_000);
    for key in 0..20_000 {
        keep(&memory, &key, key);
    }

    for round in 1..=200 {
        keep_until(&memory, &u64::MAX, 0, 2 * round - 1);
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                memory.sweep(at(2 * round - 1));
            });
            start.wait();
            // Into another shard each time, and at another moment of the sweep.
            for _ in 0..round % 20 * 500 {
                hint::spin_loop();
            }
            keep_until(&memory, &(1_000_000 + round), 0, 2 * round);
        });

        memory.sweep(at(2 * round));
        assert_eq!(usage(&memory).entries, 20_000, "in round {round}");
    }
}

/// Two clocks may tick at once over one store. Each entry leaves once.
#[test]
fn concurrent_sweeps_free_each_entry_once() {
    let expired = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&expired);
    let memory = Memory::<u64, u64>::new(50_000).on_departure(move |_: &u64, _, _| {
        count.fetch_add(1, SeqCst);
    });
    for key in 0..20_000 {
        keep_until(&memory, &key, key, 1);
    }

    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| memory.sweep(at(1)));
        }
    });
    assert_eq!((usage(&memory).entries, expired.load(SeqCst)), (0, 20_000));
}
