//! Functions with a ttl, under a clock that a test moves: the registry of the process hands it to the caches of functions. A
//! program of its own, because it does so for the whole process.
#![cfg(feature = "macros")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::{Caches, cached, secs};
use larder_testkit::MockClock;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

static CLOCK: LazyLock<MockClock> = LazyLock::new(|| {
    let clock = MockClock::new();
    let _ = Caches::of_the_process().clone().clock(clock.clone());
    clock
});

/// The clock, for one test at a time.
fn time() -> (MockClock, MutexGuard<'static, ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    (CLOCK.clone(), ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

#[test]
fn a_result_lives_for_its_ttl() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    #[cached(ttl = "60s")]
    fn run(id: u64) -> u64 {
        id + RUNS.fetch_add(1, SeqCst)
    }

    let (clock, _alone) = time();
    assert_eq!(run(0), 0);
    clock.advance(secs(59));
    assert_eq!(run(0), 0);
    clock.advance(secs(1));
    assert_eq!(run(0), 1);
}

#[test]
fn a_stale_result_is_served_at_once_and_made_anew_on_another_thread() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    #[cached(ttl = "60s", stale = "30s")]
    fn run(name: &str) -> (u64, thread::ThreadId) {
        assert_eq!(name, "ada");
        (RUNS.fetch_add(1, SeqCst), thread::current().id())
    }

    let (clock, _alone) = time();
    let here = thread::current().id();
    assert_eq!(run("ada"), (0, here));
    clock.advance(secs(60));
    assert_eq!(run("ada"), (0, here));
    while run::cache().get_fresh_now("ada").is_none() {
        thread::yield_now();
    }
    assert_eq!(run("ada").0, 1);
    assert_ne!(run("ada").1, here);
    clock.advance(secs(90));
    assert_eq!(run("ada"), (2, here), "what is dead is made by its caller");
}

#[tokio::test(flavor = "current_thread")]
#[allow(clippy::await_holding_lock, reason = "nothing else runs in this runtime")]
async fn a_stale_result_of_an_async_function_is_made_anew_in_a_task() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    #[cached(ttl = "60s", stale = "30s", refresh_ahead = 0.5)]
    async fn run(name: &str) -> u64 {
        assert_eq!(name, "ada");
        RUNS.fetch_add(1, SeqCst)
    }

    let (clock, _alone) = time();
    assert_eq!(run("ada").await, 0);
    for (later, old, new) in [(secs(60), 0, 1), (secs(30), 1, 2)] {
        clock.advance(later);
        assert_eq!(run("ada").await, old, "stale, or due ahead of its end");
        while run::cache().get_fresh_now("ada").is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(run("ada").await, new);
    }
}
