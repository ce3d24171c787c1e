//! `refresh_every`: a value that a schedule keeps fresh, and that is read without waiting.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::Json;
use larder_core::{Cache, LoadError, LocalLock, RefreshOptions, Refreshed, Start, load};
use larder_testkit::{Fake, FakeBytes, Gate, MockClock, settle};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

type Rates = Cache<str, usize>;
type Rate = Refreshed<usize, &'static str>;

/// A bank that gives the number of the question as its rate.
#[derive(Clone)]
struct Bank {
    asked: Arc<AtomicUsize>,
    is_closed: Arc<AtomicBool>,
    gate: Gate,
}

impl Bank {
    fn new() -> Self {
        Bank { asked: Arc::default(), is_closed: Arc::default(), gate: Gate::new() }
    }

    async fn ask(self) -> Result<usize, &'static str> {
        let number = self.asked.fetch_add(1, SeqCst) + 1;
        self.gate.pass().await;
        if self.is_closed.load(SeqCst) { Err("closed") } else { Ok(number) }
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    fn every(&self, interval: Duration, rates: &Rates) -> Rate {
        self.every_with(interval, rates, |how| how)
    }

    fn every_with(
        &self,
        interval: Duration,
        rates: &Rates,
        how: impl FnOnce(RefreshOptions<&'static str>) -> RefreshOptions<&'static str>,
    ) -> Rate {
        let bank = self.clone();
        rates.refresh_every_with(interval, "EUR", how, move || bank.clone().ask())
    }
}

fn rates(clock: &MockClock) -> Rates {
    Cache::new(Fake::new()).clock(clock.clone()).boxed()
}

#[tokio::test]
async fn it_is_loaded_at_once_and_then_each_interval() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let euro = bank.every(MINUTE, &rates(&clock));
    assert_eq!(euro.get(), None);
    settle().await;
    for number in 1..=5 {
        assert_eq!((euro.get(), euro.age(), bank.asked()), (Some(number), Some(Duration::ZERO), number));
        clock.run(MINUTE - SECOND).await;
        assert_eq!((euro.get(), euro.age(), bank.asked()), (Some(number), Some(MINUTE - SECOND), number));
        clock.run(SECOND).await;
    }
}

// A-d5: with a value in the store the job never ran.
#[tokio::test]
async fn when_the_first_load_is_can_be_said() {
    for (start, is_there, first) in [
        (Start::Now, false, 0),
        (Start::Now, true, 0),
        (Start::IfAbsent, false, 0),
        (Start::IfAbsent, true, 60),
        (Start::Later, false, 60),
        (Start::Later, true, 60),
    ] {
        let (clock, bank) = (MockClock::new(), Bank::new());
        let rates = rates(&clock);
        if is_there {
            rates.insert("EUR", 100).await.unwrap();
            clock.advance(MINUTE);
        }
        let euro = bank.every_with(MINUTE, &rates, |how| how.start(start));
        settle().await;
        assert_eq!(bank.asked(), usize::from(first == 0), "{start:?}, {is_there}");
        assert_eq!(
            euro.get().is_some(),
            is_there || first == 0,
            "{start:?}, {is_there}: what is there is read"
        );
        clock.run(first * SECOND).await;
        assert_eq!((euro.get(), bank.asked()), (Some(1), 1), "{start:?}, {is_there}");
        clock.run(MINUTE).await;
        assert_eq!((euro.get(), bank.asked()), (Some(2), 2), "{start:?}, {is_there}");
    }
}

// A-d6: the last value was kept for twice the interval only.
#[tokio::test]
async fn while_loads_fail_the_last_value_stays_and_the_pauses_grow() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let euro = bank.every_with(MINUTE, &rates(&clock), |how| {
        how.on_error(move |error| listener.lock().unwrap().push(error.to_string()))
    });
    settle().await;
    bank.is_closed.store(true, SeqCst);
    clock.run(MINUTE).await;
    assert_eq!(bank.asked(), 2);
    for (pause, asked) in [(1, 3), (2, 4), (4, 5), (8, 6), (16, 7), (32, 8), (60, 9), (60, 10)] {
        clock.run(pause * SECOND - Duration::from_nanos(1)).await;
        assert_eq!(bank.asked(), asked - 1, "not before {pause} s");
        clock.run(Duration::from_nanos(1)).await;
        assert_eq!(bank.asked(), asked);
    }
    assert_eq!((euro.get(), euro.age()), (Some(1), Some(243 * SECOND)));
    assert!(matches!(euro.last_error(), Some(LoadError::Load(error)) if *error == "closed"));
    assert_eq!(*told.lock().unwrap(), ["the load failed: closed"; 9]);

    bank.is_closed.store(false, SeqCst);
    clock.run(MINUTE).await;
    assert_eq!((euro.get(), euro.age()), (Some(11), Some(Duration::ZERO)));
    assert!(euro.last_error().is_none());
    clock.run(MINUTE).await;
    assert_eq!(euro.get(), Some(12), "and each interval again");
}

#[tokio::test]
async fn a_loader_or_a_listener_that_panics_harms_nothing() {
    let clock = MockClock::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let panics = |_: &LoadError<&str>| panic!("the listener");
    let euro: Rate = rates(&clock).refresh_every_with(
        MINUTE,
        "EUR",
        |how| how.on_error(panics),
        move || {
            let number = counter.fetch_add(1, SeqCst);
            assert!(number != 0, "before its future is made");
            async move {
                assert!(number != 1, "in its future");
                Ok(number)
            }
        },
    );
    settle().await;
    assert!(matches!(euro.ready().await, Err(LoadError::Panicked(_))));
    clock.run(SECOND).await;
    assert!(matches!(euro.last_error(), Some(LoadError::Panicked(_))));
    clock.run(2 * SECOND).await;
    assert_eq!(euro.get(), Some(2));
}

// A-d23: slow jobs stopped others.
#[tokio::test]
async fn a_slow_load_delays_no_other_schedule_and_its_own_by_no_more_than_it_takes() {
    let (clock, slow, quick) = (MockClock::new(), Bank::new(), Bank::new());
    slow.gate.close();
    let slow_rate = slow.every(MINUTE, &rates(&clock));
    let quick_rate = quick.every(SECOND, &rates(&clock));
    clock.run(150 * SECOND).await;
    assert_eq!((slow.asked(), quick.asked()), (1, 151));
    assert_eq!((slow_rate.get(), quick_rate.get()), (None, Some(151)));
    slow.gate.open();
    settle().await;
    assert_eq!(slow_rate.get(), Some(1));
    clock.run(MINUTE).await;
    assert_eq!(slow.asked(), 2, "what was missed is not made up for");
}

#[tokio::test]
async fn what_is_done_to_its_key_reaches_it_at_once() {
    for make in [rates, two_levels] {
        let (clock, bank) = (MockClock::new(), Bank::new());
        let rates = make(&clock);
        let euro = bank.every(MINUTE, &rates);
        settle().await;
        rates.insert("EUR", 100).await.unwrap();
        assert_eq!(euro.get(), Some(100));
        settle().await;
        assert_eq!((euro.get(), bank.asked()), (Some(100), 1), "it is not loaded in its place");

        bank.gate.close();
        for way in 0..3 {
            let asked = bank.asked();
            match way {
                0 => rates.remove("EUR").await.unwrap(),
                1 => rates.expire("EUR").await.unwrap(),
                _ => rates.clear().await.unwrap(),
            }
            assert_eq!((euro.get(), euro.age()), (None, None), "way {way}");
            settle().await;
            assert_eq!(bank.asked(), asked + 1, "way {way}: and is loaded anew");
            bank.gate.let_one_through();
            settle().await;
            assert_eq!(euro.get(), Some(asked + 1));
        }
    }
}

fn two_levels(clock: &MockClock) -> Rates {
    Cache::new(Fake::<str, usize>::new())
        .chain(Cache::new(FakeBytes::new()).codec(Json))
        .clock(clock.clone())
        .boxed()
}

#[tokio::test]
async fn a_load_that_a_removal_overtook_is_not_read() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let rates = rates(&clock);
    bank.gate.close();
    let euro = bank.every(MINUTE, &rates);
    settle().await;
    rates.remove("EUR").await.unwrap();
    bank.gate.let_one_through();
    settle().await;
    assert_eq!((euro.get(), rates.get_now("EUR")), (None, None));
}

#[tokio::test]
async fn an_invalidated_tag_reaches_it() {
    let (clock, asked) = (MockClock::new(), Arc::new(AtomicUsize::new(0)));
    let rates = rates(&clock);
    let counter = Arc::clone(&asked);
    let euro: Rate = rates.refresh_every(MINUTE, "EUR", move || {
        let number = counter.fetch_add(1, SeqCst);
        async move {
            load::depends_on("bank");
            Ok(number)
        }
    });
    settle().await;
    assert_eq!(euro.get(), Some(0));
    rates.invalidate_tag("other").await.unwrap();
    assert_eq!(euro.get(), Some(0));
    rates.invalidate_tag("bank").await.unwrap();
    assert_eq!(euro.get(), None);
    settle().await;
    assert_eq!(euro.get(), Some(1), "it is loaded as soon as somebody has seen that it is gone");
}

#[tokio::test]
async fn what_is_made_from_it_depends_on_its_tags() {
    let clock = MockClock::new();
    let (rates, prices) = (rates(&clock), rates(&clock));
    let euro: Arc<Rate> = Arc::new(rates.refresh_every(MINUTE, "EUR", async || {
        load::depends_on("bank");
        Ok(2)
    }));
    settle().await;
    let price = async || {
        let euro = Arc::clone(&euro);
        prices.get_or_insert_with("bread", async move || 10 * euro.get().unwrap_or_default()).await
    };
    assert_eq!(price().await, 20);
    rates.invalidate_tag("bank").await.unwrap();
    assert_eq!(prices.get("bread").await.unwrap(), None);
}

#[tokio::test]
async fn what_callers_load_is_its_value_too() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let rates = rates(&clock);
    let euro = bank.every_with(MINUTE, &rates, |how| how.start(Start::Later));
    settle().await;
    assert_eq!(rates.get_or_load("EUR", async || Ok::<_, &str>(100)).await.unwrap(), 100);
    assert_eq!(euro.get(), Some(100));
}

#[tokio::test]
async fn a_load_by_hand_is_new_and_moves_the_schedule() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let euro = bank.every(MINUTE, &rates(&clock));
    settle().await;
    clock.run(50 * SECOND).await;
    assert_eq!(euro.refresh().await.unwrap(), 2);
    clock.run(59 * SECOND).await;
    assert_eq!(bank.asked(), 2);
    clock.run(SECOND).await;
    assert_eq!(euro.get(), Some(3));

    bank.is_closed.store(true, SeqCst);
    assert!(matches!(euro.refresh().await, Err(LoadError::Load(_))));
    assert_eq!(euro.get(), Some(3));
}

#[tokio::test]
async fn who_waits_for_the_first_value_gets_it_or_why_there_is_none() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let rates = rates(&clock);
    bank.gate.close();
    let euro = Arc::new(bank.every(MINUTE, &rates));
    let waiting = Arc::clone(&euro);
    let waiting = tokio::spawn(async move { waiting.ready().await });
    settle().await;
    assert!(!waiting.is_finished());
    bank.gate.open();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);

    let closed = Bank::new();
    closed.is_closed.store(true, SeqCst);
    let never = closed.every(MINUTE, &two_levels(&clock));
    assert!(matches!(never.ready().await, Err(LoadError::Load(_))));
}

// A41.
#[tokio::test]
async fn it_ends_when_it_is_dropped_or_shut_down_and_its_readers_keep_the_last_value() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let rates = rates(&clock);
    let euro = bank.every(MINUTE, &rates);
    settle().await;
    let reader = euro.reader();
    drop(euro);
    clock.run(10 * MINUTE).await;
    assert_eq!((bank.asked(), reader.get(), reader.age()), (1, Some(1), Some(10 * MINUTE)));

    let again = bank.every(MINUTE, &rates);
    settle().await;
    clock.run(MINUTE).await;
    let asked = bank.asked();
    again.shutdown().await;
    clock.run(10 * MINUTE).await;
    assert_eq!(bank.asked(), asked);
    assert_eq!(clock.timers(), 0);

    bank.gate.close();
    rates.remove("EUR").await.unwrap();
    let stuck = bank.every(MINUTE, &rates);
    settle().await;
    stuck.shutdown().await;
}

#[tokio::test]
async fn a_schedule_that_nobody_reads_can_stop_and_goes_on_with_the_next_read() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let euro = bank.every_with(MINUTE, &rates(&clock), |how| how.stop_when_unread(3 * MINUTE));
    settle().await;
    clock.run(2 * MINUTE).await;
    assert_eq!(euro.get(), Some(3));
    clock.run(60 * MINUTE).await;
    let asked = bank.asked();
    assert!((5..=6).contains(&asked), "{asked}: three minutes more");
    clock.run(60 * MINUTE).await;
    assert_eq!(bank.asked(), asked);
    assert_eq!(euro.get(), Some(asked), "old as it is");
    settle().await;
    assert_eq!(euro.get(), Some(asked + 1));
    clock.run(MINUTE).await;
    assert_eq!(bank.asked(), asked + 2);
}

#[tokio::test]
async fn jitter_moves_each_load_by_no_more_than_its_part() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let euro = bank.every_with(100 * SECOND, &rates(&clock), |how| how.jitter(0.2));
    settle().await;
    let mut spans = Vec::new();
    for _ in 0..50 {
        let (before, mut seconds) = (bank.asked(), 0);
        while bank.asked() == before {
            clock.run(SECOND).await;
            seconds += 1;
        }
        spans.push(seconds);
    }
    assert!(spans.iter().all(|seconds| (79..=121).contains(seconds)), "{spans:?}");
    assert!(
        spans.iter().any(|seconds| *seconds < 95) && spans.iter().any(|seconds| *seconds > 105),
        "{spans:?}"
    );
    drop(euro);
}

#[tokio::test]
async fn of_several_processes_one_loads_each_interval_and_the_others_take_that() {
    let (clock, bank, store) = (MockClock::new(), Bank::new(), FakeBytes::new());
    let lock = LocalLock::new(clock.clone());
    let process = || {
        let far = Cache::new(store.clone()).codec(Json);
        Cache::new(Fake::<str, usize>::new()).chain(far).clock(clock.clone()).lock(lock.clone()).boxed()
    };
    let all: Vec<_> = (0..8).map(|_| bank.every(MINUTE, &process())).collect();
    for interval in 1..=10 {
        clock.run(MINUTE - SECOND).await;
        assert_eq!(bank.asked(), interval);
        assert!(all.iter().all(|euro| euro.get() == Some(interval)));
        clock.run(SECOND).await;
    }
}

#[tokio::test]
async fn a_week_of_a_hundred_schedules_takes_a_moment() {
    let (clock, bank) = (MockClock::new(), Bank::new());
    let rates = rates(&clock);
    let every_hour = |key: usize| {
        let bank = bank.clone();
        rates.refresh_every(60 * MINUTE, &key.to_string(), move || bank.clone().ask())
    };
    let all: Vec<_> = (0..100).map(every_hour).collect();
    clock.run(7 * 24 * 60 * MINUTE).await;
    assert_eq!(bank.asked(), 100 * (7 * 24 + 1));
    assert!(all.iter().all(|euro| euro.age() == Some(Duration::ZERO)));
}

#[test]
#[should_panic(expected = "begin it inside of a tokio runtime")]
fn it_needs_a_runtime() {
    let _ = Bank::new().every(MINUTE, &rates(&MockClock::new()));
}

#[tokio::test]
#[should_panic(expected = "an interval above zero")]
async fn it_needs_an_interval() {
    let _ = Bank::new().every(Duration::ZERO, &rates(&MockClock::new()));
}
