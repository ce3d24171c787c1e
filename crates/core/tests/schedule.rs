//! When a schedule loads next, whatever happened in between; and what becomes of one that never began.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{Cache, LoadError, RefreshOptions, Refreshed, Start};
use larder_testkit::{Fake, MockClock, settle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

type Rates = Cache<str, usize>;

#[derive(Clone, Default)]
struct Bank {
    asked: Arc<AtomicUsize>,
    is_closed: Arc<AtomicBool>,
}

impl Bank {
    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    fn every(
        &self,
        interval: Duration,
        rates: &Rates,
        how: impl FnOnce(RefreshOptions<&'static str>) -> RefreshOptions<&'static str>,
    ) -> Refreshed<usize, &'static str> {
        let bank = self.clone();
        rates.refresh_every_with(interval, "EUR", how, move || {
            let number = bank.asked.fetch_add(1, SeqCst) + 1;
            let is_closed = bank.is_closed.load(SeqCst);
            async move { if is_closed { Err("closed") } else { Ok(number) } }
        })
    }
}

fn rates(clock: &MockClock) -> Rates {
    Cache::new(Fake::new()).clock(clock.clone()).boxed()
}

#[tokio::test]
async fn loads_that_come_early_put_the_next_one_off_by_one_interval_and_not_by_one_each() {
    let (clock, bank) = (MockClock::new(), Bank::default());
    let rates = rates(&clock);
    let _euro = bank.every(MINUTE, &rates, |how| how);
    clock.run(10 * SECOND).await;
    for asked in 2..7 {
        rates.remove("EUR").await.unwrap();
        settle().await;
        assert_eq!(bank.asked(), asked);
    }
    clock.run(59 * SECOND).await;
    assert_eq!(bank.asked(), 6);
    clock.run(SECOND).await;
    assert_eq!(bank.asked(), 7);
}

#[tokio::test]
async fn a_load_by_hand_that_fails_is_not_followed_by_another_at_once() {
    let (clock, bank) = (MockClock::new(), Bank::default());
    bank.is_closed.store(true, SeqCst);
    let euro = bank.every(MINUTE, &rates(&clock), |how| how.start(Start::Later).retry_after(5 * SECOND));
    settle().await;
    assert!(matches!(euro.refresh().await, Err(LoadError::Load(_))));
    settle().await;
    assert_eq!(bank.asked(), 1);
    clock.run(5 * SECOND).await;
    assert_eq!(bank.asked(), 2);
}

#[tokio::test]
async fn an_interval_without_end_is_one() {
    let (clock, bank) = (MockClock::new(), Bank::default());
    let rates = rates(&clock);
    let euro = bank.every(Duration::MAX, &rates, |how| how);
    clock.run(1_000 * MINUTE).await;
    assert_eq!(bank.asked(), 1);
    rates.remove("EUR").await.unwrap();
    settle().await;
    assert_eq!(euro.get(), Some(2));
}

#[test]
fn a_schedule_whose_runtime_ended_before_it_began_has_ended() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let clock = MockClock::new();
    let first = runtime();
    let numbers = Cache::new(Fake::<u32, u32>::new())
        .clock(clock.clone())
        .loader(async |_: larder_core::LoadContext<u32, u32>| Ok::<_, String>(1));
    let (euro, keys) = first.block_on(async {
        (Bank::default().every(MINUTE, &rates(&clock), |how| how), numbers.refresh_keys(MINUTE, || [1_u32]))
    });
    drop(first);
    runtime().block_on(async {
        assert!(matches!(euro.ready().await, Err(LoadError::Abandoned)));
        assert!(keys.ready().await.is_none());
        euro.shutdown().await;
        keys.shutdown().await;
    });
}
