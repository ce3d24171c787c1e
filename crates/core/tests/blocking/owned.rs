//! Loads that own what they use: where something old can be served, nobody waits for them.

use crate::SECOND;
use larder::Cache;
use larder_testkit::{Fake, MockClock};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use tokio::runtime::Builder;

/// Held by a test whose loads run on threads of their own: a process has 32 of them, and one test takes all.
static THREADS: Mutex<()> = Mutex::new(());

fn ages(clock: &MockClock) -> larder::Blocking<str, u32, Fake<str, u32>, larder::Native> {
    Cache::new(Fake::<str, u32>::new()).ttl(SECOND).stale(SECOND).clock(clock.clone()).blocking()
}

/// A stale value is there; its reload waits for a word, and tells on which thread it runs. Returns what the caller got.
fn reloaded_elsewhere(ages: &larder::Blocking<str, u32, Fake<str, u32>, larder::Native>) -> (u32, ThreadId) {
    let (go, may_go) = channel::<()>();
    let (tell, told) = channel();
    let served = ages.get_or_load_owned("ada", move || {
        may_go.recv().expect("the test says so");
        tell.send(thread::current().id()).expect("the test listens");
        Ok::<_, String>(37)
    });
    go.send(()).expect("the load waits");
    (served.expect("an old value is served"), told.recv().expect("the load runs"))
}

#[test]
fn a_stale_value_is_served_at_once_and_reloaded_on_a_thread_of_its_own() {
    let _threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let clock = MockClock::new();
    let ages = ages(&clock);
    ages.insert("ada", 36).unwrap();
    clock.advance(SECOND);

    let (served, thread) = reloaded_elsewhere(&ages);
    assert_eq!(served, 36);
    assert_ne!(thread, thread::current().id());
    until(|| ages.get_now("ada") == Some(37));
}

#[test]
fn in_a_runtime_it_is_a_thread_of_that() {
    let clock = MockClock::new();
    let ages = ages(&clock);
    ages.insert("ada", 36).unwrap();
    clock.advance(SECOND);

    let runtime = Builder::new_current_thread().build().unwrap();
    let (served, thread) = runtime.block_on(async { reloaded_elsewhere(&ages) });
    assert_eq!(served, 36);
    assert_ne!(thread, thread::current().id());
    until(|| ages.get_now("ada") == Some(37));
}

#[test]
fn many_who_are_served_the_stale_value_are_one_reload() {
    let _threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let clock = MockClock::new();
    let ages = ages(&clock);
    ages.insert("ada", 36).unwrap();
    clock.advance(SECOND);
    let (go, may_go) = channel::<()>();
    let may_go: Arc<Mutex<Receiver<()>>> = Arc::new(Mutex::new(may_go));
    let loads = Arc::new(AtomicU32::new(0));

    for _ in 0..10 {
        let (loads, may_go) = (Arc::clone(&loads), Arc::clone(&may_go));
        let served = ages.get_or_load_owned("ada", move || {
            loads.fetch_add(1, SeqCst);
            may_go.lock().unwrap().recv().expect("the test says so");
            Ok::<_, String>(37)
        });
        assert_eq!(served.unwrap(), 36);
    }
    go.send(()).unwrap();
    until(|| ages.get_now("ada") == Some(37));
    assert_eq!(loads.load(SeqCst), 1);
}

#[test]
fn what_is_missing_is_loaded_by_its_caller() {
    let ages = ages(&MockClock::new());

    let here = thread::current().id();
    assert_eq!(ages.get_or_insert_with_owned("ada", move || u32::from(thread::current().id() == here)), 1);
    let failed = ages.get_or_load_owned("bob", || Err("down"));
    assert_eq!(failed.unwrap_err().as_load(), Some(&"down"));
}

/// There are 32 threads for it. Who comes then loads by itself, and is served what is old if that fails.
#[test]
fn when_no_thread_is_left_the_caller_loads() {
    let _threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let clock = MockClock::new();
    let names: Vec<String> = (0..33).map(|number| format!("name {number}")).collect();
    let ages = ages(&clock);
    for name in &names {
        ages.insert(name, 36).unwrap();
    }
    clock.advance(SECOND);
    let (go, may_go) = channel::<()>();
    let may_go = Arc::new(Mutex::new(may_go));

    for name in &names[..32] {
        let may_go = Arc::clone(&may_go);
        let served = ages.get_or_load_owned(name, move || {
            may_go.lock().unwrap().recv().expect("the test says so");
            Ok::<_, String>(37)
        });
        assert_eq!(served.unwrap(), 36);
    }
    let here = thread::current().id();
    let last = ages.get_or_load_owned(&names[32], move || {
        assert_eq!(thread::current().id(), here);
        Ok::<_, String>(38)
    });
    assert_eq!(last.unwrap(), 38);
    for _ in 0..32 {
        go.send(()).unwrap();
    }
    until(|| names[..32].iter().all(|name| ages.get_now(name) == Some(37)));
}

/// Gives way to the other threads until it is so.
fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}
