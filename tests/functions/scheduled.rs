//! Functions that run again and again: `#[scheduled]`.

use super::Count;
use larder::{Scheduler, scheduled};
use tokio::runtime::Builder;
use tokio::task::yield_now;

#[tokio::test]
async fn nothing_runs_before_the_first_call_and_then_the_schedule_does() {
    static RUNS: Count = Count::new();
    #[scheduled(every = "5m", jitter = 0.1, retry_after = "10s", stop_when_unread = "1h")]
    async fn rate() -> Result<f64, std::fmt::Error> {
        RUNS.one();
        Ok(1.08)
    }

    assert_eq!((rate::is_running(), rate::get(), RUNS.get()), (false, None, 0));
    assert_eq!(rate().await, Ok(1.08));
    while rate::get().is_none() {
        yield_now().await;
    }
    assert!(rate::is_running() && rate::age().is_some());
    assert_eq!(rate().await, Ok(1.08));
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test]
async fn a_scheduler_ends_what_was_started_in_it() {
    static RUNS: Count = Count::new();
    #[scheduled(every = "5m")]
    async fn rate() -> u64 {
        RUNS.one()
    }

    let scheduler = Scheduler::new();
    rate::start_in(&scheduler);
    while rate::get().is_none() {
        yield_now().await;
    }
    scheduler.shutdown().await;
    assert_eq!((rate::is_running(), rate::get()), (false, None));
    // What was ended on purpose is not started by a call.
    assert_eq!(rate().await, 0);
    assert!(!rate::is_running());
    rate::start();
    assert!(rate::is_running());
    rate::shutdown().await;
}

#[tokio::test]
async fn a_scheduler_that_is_dropped_ends_them_too() {
    #[scheduled(every = "5m")]
    async fn rate() -> u64 {
        7
    }

    let scheduler = Scheduler::new();
    rate::start_in(&scheduler);
    drop(scheduler);
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(!rate::is_running());
}

#[test]
fn a_schedule_whose_runtime_has_ended_begins_anew_in_the_next() {
    static RUNS: Count = Count::new();
    #[scheduled(every = "5m")]
    async fn rate() -> u64 {
        RUNS.one()
    }

    for _ in 0..2 {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(rate()), 0);
        assert!(rate::is_running());
        drop(runtime);
        assert!(!rate::is_running());
    }
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test]
async fn a_run_that_fails_is_told_and_leaves_the_last_good_result() {
    static RUNS: Count = Count::new();
    static ERRORS: Count = Count::new();
    #[scheduled(every = "5m", on_error = |_| { ERRORS.one(); })]
    async fn rate() -> Result<u64, std::fmt::Error> {
        if RUNS.one() == 0 { Err(std::fmt::Error) } else { Ok(7) }
    }

    rate::start();
    while ERRORS.get() == 0 {
        yield_now().await;
    }
    assert_eq!(rate::get(), None);
    assert_eq!(rate().await, Ok(7));
    assert_eq!(rate::get(), Some(7));
}

#[test]
fn a_function_that_is_not_async_runs_on_a_thread_that_may_block() {
    #[scheduled(every = "5m")]
    fn rate() -> u64 {
        7
    }

    // Without a runtime there is no schedule, and a result all the same.
    assert_eq!((rate(), rate::is_running()), (7, false));
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    assert_eq!(rate(), 7);
    assert!(rate::is_running());
    runtime.block_on(rate::shutdown());
}
