//! Soft and hard time-outs: nobody waits too long, and the load goes on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{Cache, Event, Freshness, Limit, LoadError};
use larder_testkit::{Fake, Gate, Loader, MockClock, Recorder, settle};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);

type Users = Cache<str, u32>;
type Answer = JoinHandle<Result<u32, LoadError<&'static str>>>;

struct Bench {
    clock: MockClock,
    events: Recorder,
    users: Users,
}

/// A cache that keeps for an hour what was fresh for a minute, with limits on its loads.
fn bench(soft: Option<u32>, hard: Option<u32>) -> Bench {
    let (clock, events) = (MockClock::new(), Recorder::new());
    let mut users = Cache::new(Fake::new())
        .ttl(60 * SECOND)
        .stale_if_error(3_600 * SECOND)
        .clock(clock.clone())
        .observer(events.clone());
    if let Some(soft) = soft {
        users = users.soft_timeout(soft * SECOND);
    }
    if let Some(hard) = hard {
        users = users.hard_timeout(hard * SECOND);
    }
    Bench { clock, events, users: users.boxed() }
}

impl Bench {
    /// Puts in a value that is no longer fresh, but kept.
    async fn with_old(self, value: u32) -> Self {
        self.users.insert("ada", value).await.unwrap();
        self.clock.advance(60 * SECOND);
        self
    }

    fn call(&self, loader: &Loader<u32, &'static str>) -> Answer {
        let (users, load) = (self.users.clone(), loader.load());
        tokio::spawn(async move { users.get_or_load("ada", load).await })
    }
}

fn value(answer: Result<u32, LoadError<&'static str>>) -> u32 {
    answer.unwrap()
}

// FusionCache 35, 39.
#[tokio::test]
async fn after_the_soft_timeout_the_old_value_is_served_and_the_load_is_stored_when_it_ends() {
    let bench = bench(Some(1), None).with_old(36).await;
    let loader = Loader::value(37).gated();
    let caller = bench.call(&loader);

    bench.clock.run(SECOND - Duration::from_nanos(1)).await;
    assert!(!caller.is_finished());
    bench.clock.run(Duration::from_nanos(1)).await;
    assert_eq!(value(caller.await.unwrap()), 36);
    assert_eq!((bench.users.stats().soft_timeouts, bench.users.get("ada").await.unwrap()), (1, None));

    bench.clock.run(9 * SECOND).await;
    loader.gate().open();
    settle().await;
    let found = bench.users.lookup("ada").await.unwrap().unwrap();
    assert_eq!((*found.value(), found.freshness()), (37, Freshness::Fresh));
    // Stamped with when the load began, ten seconds ago.
    assert_eq!(found.ttl_left(), Some(50 * SECOND));
}

// FusionCache 36.
#[tokio::test]
async fn without_anything_old_the_soft_timeout_changes_nothing() {
    let bench = bench(Some(1), None);
    let loader = Loader::value(37).gated();
    let caller = bench.call(&loader);

    bench.clock.run(60 * SECOND).await;
    assert!(!caller.is_finished());
    loader.gate().open();
    assert_eq!(value(caller.await.unwrap()), 37);
    assert_eq!(bench.users.stats().soft_timeouts, 0);
}

// FusionCache 37, 39.
#[tokio::test]
async fn after_the_hard_timeout_callers_get_an_error_and_the_load_is_stored_when_it_ends() {
    let bench = bench(None, Some(5));
    let loader = Loader::value(37).gated();
    let callers = [bench.call(&loader), bench.call(&loader)];

    bench.clock.run(5 * SECOND).await;
    for caller in callers {
        assert!(matches!(caller.await.unwrap(), Err(LoadError::Timeout)));
    }
    let late = bench.call(&loader);
    settle().await;
    assert!(matches!(late.await.unwrap(), Err(LoadError::Timeout)), "who comes later does not wait at all");

    loader.gate().open();
    settle().await;
    assert_eq!(bench.users.get("ada").await.unwrap(), Some(37));
    assert_eq!((loader.loads(), bench.users.stats().hard_timeouts), (1, 1));
}

// FusionCache 38.
#[tokio::test]
async fn after_the_hard_timeout_the_old_value_is_served_if_there_is_one() {
    let bench = bench(None, Some(5)).with_old(36).await;
    let loader = Loader::value(37).gated();
    let caller = bench.call(&loader);
    bench.clock.run(5 * SECOND).await;
    assert_eq!(value(caller.await.unwrap()), 36);
}

// FusionCache 40, 41.
#[tokio::test]
async fn a_load_that_fails_after_its_callers_left_is_reported_and_not_stored() {
    for (limits, old) in [((Some(1), None), Some(36)), ((None, Some(1)), None)] {
        let mut bench = bench(limits.0, limits.1);
        if let Some(old) = old {
            bench = bench.with_old(old).await;
        }
        let loader = Loader::failing("down").gated();
        let caller = bench.call(&loader);
        bench.clock.run(SECOND).await;
        assert!(caller.is_finished());
        assert_eq!(bench.events.failed_reloads(), 0);

        loader.gate().open();
        settle().await;
        assert_eq!(bench.events.failed_reloads(), 1);
        assert_eq!(bench.users.get("ada").await.unwrap(), None);
    }
}

// FusionCache 42.
#[tokio::test]
async fn two_waves_of_callers_around_a_soft_timeout_share_one_load() {
    let bench = bench(Some(1), None).with_old(36).await;
    let loader = Loader::value(37).gated();
    let first: Vec<_> = (0..10).map(|_| bench.call(&loader)).collect();
    bench.clock.run(SECOND).await;
    let second: Vec<_> = (0..10).map(|_| bench.call(&loader)).collect();
    settle().await;
    for caller in first.into_iter().chain(second) {
        assert_eq!(value(caller.await.unwrap()), 36);
    }
    assert_eq!(loader.loads(), 1);
    loader.gate().open();
    settle().await;
    assert_eq!(bench.users.get("ada").await.unwrap(), Some(37));
}

#[tokio::test]
async fn after_a_late_load_failed_the_old_value_answers_without_a_load_for_a_while() {
    let bench = bench(Some(1), None).with_old(36).await;
    let loader = Loader::failing("down").then_value(37).gated();
    let caller = bench.call(&loader);
    bench.clock.run(SECOND).await;
    loader.gate().open();
    settle().await;
    assert_eq!(value(caller.await.unwrap()), 36);

    assert_eq!(value(bench.call(&loader).await.unwrap()), 36);
    assert_eq!(loader.loads(), 1);
    bench.clock.advance(30 * SECOND);
    assert_eq!(value(bench.call(&loader).await.unwrap()), 37);
}

#[tokio::test]
async fn a_value_removed_while_its_load_is_late_does_not_come_back() {
    let bench = bench(Some(1), None).with_old(36).await;
    let loader = Loader::value(37).gated();
    let caller = bench.call(&loader);
    bench.clock.run(SECOND).await;
    assert_eq!(value(caller.await.unwrap()), 36);

    bench.users.remove("ada").await.unwrap();
    loader.gate().open();
    settle().await;
    assert_eq!(bench.users.get("ada").await.unwrap(), None);
    assert_eq!(bench.events.overtaken(), 1);
}

// Pitfall 16 of other caches: a refresh that hangs holds its key for ever.
#[tokio::test]
async fn a_load_that_never_ends_is_cut_off_and_its_key_is_free_again() {
    for bench in [bench(None, Some(1)), {
        let bench = bench(None, None);
        Bench { users: bench.users.max_load_time(10 * SECOND), ..bench }
    }] {
        let hanging = Loader::value(1).gated();
        let caller = bench.call(&hanging);
        bench.clock.run(10 * SECOND).await;
        assert!(matches!(caller.await.unwrap(), Err(LoadError::Timeout)));
        assert_eq!(bench.users.stats().load_failures, 1);

        assert_eq!(value(bench.call(&Loader::value(37)).await.unwrap()), 37);
        assert_eq!(hanging.ended(), 0);
    }
}

#[tokio::test]
async fn a_hanging_reload_behind_a_stale_value_is_cut_off_and_tried_again() {
    let clock = MockClock::new();
    let users = Cache::new(Fake::<str, u32>::new())
        .ttl(60 * SECOND)
        .stale(600 * SECOND)
        .max_load_time(10 * SECOND)
        .clock(clock.clone())
        .boxed();
    users.insert("ada", 36).await.unwrap();
    clock.advance(60 * SECOND);
    let hanging: Loader<u32, &str> = Loader::value(1).gated();
    assert_eq!(users.get_or_load("ada", hanging.load()).await.unwrap(), 36);
    clock.run(10 * SECOND).await;

    clock.run(SECOND).await;
    let loader: Loader<u32, &str> = Loader::value(37);
    assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
    settle().await;
    assert_eq!(users.get("ada").await.unwrap(), Some(37));
}

#[tokio::test]
async fn the_limits_pass_in_the_order_of_their_lengths_and_are_told() {
    let clock = MockClock::new();
    let told = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let users: Users = Cache::new(Fake::new())
        .ttl(SECOND)
        .stale_if_error(3_600 * SECOND)
        .hard_timeout(3 * SECOND)
        .soft_timeout(2 * SECOND)
        .max_load_time(5 * SECOND)
        .clock(clock.clone())
        .observer(move |event: &Event<'_>| {
            if let Event::LoadOverdue { limit, after, .. } = event {
                log.lock().push((*limit, after.as_secs()));
            }
        })
        .boxed();
    users.insert("ada", 36).await.unwrap();
    clock.advance(SECOND);
    let loader: Loader<u32, &str> = Loader::value(1).gated();
    let load = loader.load();
    let caller = tokio::spawn(async move { users.get_or_load("ada", load).await });

    clock.run(10 * SECOND).await;

    assert_eq!(caller.await.unwrap().unwrap(), 36);
    assert_eq!(*told.lock(), [(Limit::Soft, 2), (Limit::Hard, 3), (Limit::Longest, 5)]);
    assert_eq!(clock.timers(), 0);
}

#[tokio::test]
async fn a_load_in_time_leaves_no_timer_behind() {
    let bench = bench(Some(1), Some(5)).with_old(36).await;
    assert_eq!(value(bench.call(&Loader::value(37)).await.unwrap()), 37);
    assert_eq!(bench.clock.timers(), 0);
}

#[tokio::test]
async fn the_leader_of_a_scoped_load_waits_while_others_are_served_the_old_value() {
    let bench = bench(Some(1), Some(2)).with_old(36).await;
    let gate = Gate::new();
    gate.close();
    let runs = Arc::new(AtomicUsize::new(0));
    let leader = tokio::spawn({
        let (users, gate, runs) = (bench.users.clone(), gate.clone(), Arc::clone(&runs));
        async move {
            let load = async || {
                runs.fetch_add(1, SeqCst);
                gate.pass().await;
                Ok::<_, &str>(37)
            };
            users.get_or_load_scoped("ada", load).await
        }
    });
    gate.reached(1).await;
    let joined = bench.call(&Loader::value(1));
    bench.clock.run(2 * SECOND).await;
    assert_eq!(value(joined.await.unwrap()), 36);
    assert!(!leader.is_finished());

    gate.open();
    assert_eq!(value(leader.await.unwrap()), 37);
    assert_eq!(runs.load(SeqCst), 1);
}

// FusionCache 43: a limit of nothing is no limit that makes sense, so it is refused before anything is begun.
#[test]
fn a_limit_of_zero_is_refused_with_its_cure() {
    let message = |refused: fn(Users) -> Users| {
        let users = Cache::new(Fake::new()).boxed();
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| refused(users))).unwrap_err();
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()))
    };
    assert!(message(|users| users.soft_timeout(Duration::ZERO)).unwrap().contains("`.stale(window)`"));
    assert!(message(|users| users.hard_timeout(Duration::ZERO)).unwrap().contains("too late"));
    assert!(message(|users| users.max_load_time(Duration::ZERO)).unwrap().contains("no time"));
}

#[tokio::test]
async fn what_has_no_error_to_return_waits_for_a_slow_load_its_own_and_that_of_others() {
    let clock = MockClock::new();
    let users: Users = Cache::new(Fake::new()).hard_timeout(SECOND).clock(clock.clone()).boxed();
    let loader = Loader::<u32, &'static str>::value(36).gated();
    let leader = tokio::spawn({
        let (users, load) = (users.clone(), loader.load());
        async move { users.get_or_load("ada", load).await }
    });
    loader.gate().reached(1).await;
    let joined = tokio::spawn({
        let users = users.clone();
        async move { users.get_or_insert_with("ada", async || 1).await }
    });
    let (slow, late) = (clock.clone(), users.clone());
    let own = tokio::spawn(async move {
        let make = async move || {
            larder_core::Clock::sleep(&slow, 100 * SECOND).await;
            2
        };
        users.get_or_insert_with("bob", make).await
    });

    clock.run(2 * SECOND).await;
    assert!(matches!(leader.await.unwrap(), Err(LoadError::Timeout)));
    let late = tokio::spawn(async move { late.get_or_insert_with("ada", async || 1).await });
    settle().await;
    assert!(!joined.is_finished() && !own.is_finished() && !late.is_finished());
    loader.gate().open();
    assert_eq!((joined.await.unwrap(), late.await.unwrap()), (36, 36));
    clock.run(100 * SECOND).await;
    assert_eq!(own.await.unwrap(), 2);
}
