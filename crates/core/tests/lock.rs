//! `.lock`: one load of a key across processes, which here are caches of their own over one store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::Json;
use larder_core::{Answer, Cache, CallOptions, Error, ErrorKind, Event, LoadError, LocalLock, Lock, Token};
use larder_testkit::{Fake, FakeBytes, Gate, Loader, MockClock, settle};
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);
const ADA: &str = "larder:ada";

type Users = Cache<str, u32>;
type Call = JoinHandle<Result<u32, LoadError<&'static str>>>;

/// What processes share, and what they were told.
#[derive(Clone, Default)]
struct Service {
    clock: MockClock,
    store: FakeBytes,
    lock: Shaky,
    events: Arc<Mutex<Vec<String>>>,
}

/// A lock whose service can fail, and not answer at all.
#[derive(Clone)]
struct Shaky {
    lock: LocalLock,
    fails: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    /// Only leases that are to be renewed.
    forgets: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    gate: Gate,
}

impl Default for Shaky {
    fn default() -> Self {
        Shaky::of(MockClock::new())
    }
}

impl Shaky {
    fn of(clock: MockClock) -> Self {
        let (fails, hangs, forgets) = Default::default();
        Shaky { lock: LocalLock::new(clock), fails, hangs, forgets, calls: Arc::default(), gate: Gate::new() }
    }

    async fn carry_out<T>(&self, call: Answer<'_, T>) -> larder_core::Result<T> {
        self.calls.fetch_add(1, SeqCst);
        self.gate.pass().await;
        if self.hangs.load(SeqCst) {
            pending::<()>().await;
        }
        if self.fails.load(SeqCst) {
            return Err(Error::new(ErrorKind::Store, "nobody there"));
        }
        call.await
    }
}

impl Lock for Shaky {
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>> {
        Box::pin(self.carry_out(self.lock.acquire(name, lease)))
    }
    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool> {
        if self.forgets.load(SeqCst) {
            return Box::pin(async { Ok(false) });
        }
        Box::pin(self.carry_out(self.lock.renew(name, token, lease)))
    }
    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()> {
        Box::pin(self.carry_out(self.lock.release(name, token)))
    }
    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()> {
        Box::pin(self.carry_out(self.lock.wait(name, at_most)))
    }
    fn place(&self) -> String {
        "a lock that shakes".into()
    }
}

impl Service {
    fn new() -> Self {
        let clock = MockClock::new();
        Service { lock: Shaky::of(clock.clone()), clock, ..Service::default() }
    }

    /// A cache of another process: memory of its own, and the level that all share.
    fn process(&self) -> Users {
        self.process_with(|users| users)
    }

    fn process_with(&self, change: impl FnOnce(Users) -> Users) -> Users {
        let events = Arc::clone(&self.events);
        let far = Cache::new(self.store.clone()).codec(Json);
        let users = Cache::new(Fake::<str, u32>::new())
            .chain(far)
            .ttl(60 * SECOND)
            .clock(self.clock.clone())
            .lock(self.lock.clone())
            .observer(move |event: &Event<'_>| events.lock().unwrap().push(format!("{event:?}")));
        change(users.boxed())
    }

    /// Whether somebody was told such a thing.
    fn was_told(&self, what: &str) -> bool {
        self.events.lock().unwrap().iter().any(|event| event.contains(what))
    }
}

fn ask(users: &Users, loader: &Loader<u32, &'static str>) -> Call {
    let (users, load) = (users.clone(), loader.load());
    tokio::spawn(async move { users.get_or_load("ada", load).await })
}

#[tokio::test]
async fn of_64_processes_that_miss_one_loads_and_all_have_its_value() {
    let service = Service::new();
    let loader = Loader::value(36).gated();
    let processes: Vec<_> = (0..64).map(|_| service.process()).collect();
    let callers: Vec<_> = processes.iter().map(|users| ask(users, &loader)).collect();
    settle().await;
    loader.gate().open();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 36);
    }
    assert_eq!(loader.loads(), 1);
    let elsewhere: u64 = processes.iter().map(|users| users.stats().loaded_elsewhere).sum();
    assert_eq!(elsewhere, 63);
    for users in &processes {
        assert_eq!(users.lookup("ada").await.unwrap().unwrap().level(), 0, "and keeps it in memory");
    }
}

#[tokio::test]
async fn what_came_between_the_first_look_and_the_lease_is_found_and_the_lease_given_back() {
    let service = Service::new();
    // It has looked, in vain, and asks for the lease while another one loads.
    let slow = Service { lock: Shaky { gate: Gate::closed(), ..service.lock.clone() }, ..service.clone() };
    let loader = Loader::value(36).then_value(37);
    let late = ask(&slow.process(), &loader);
    settle().await;
    assert_eq!(ask(&service.process(), &loader).await.unwrap().unwrap(), 36);
    settle().await;
    slow.lock.gate.open();
    assert_eq!(late.await.unwrap().unwrap(), 36);
    assert_eq!(loader.loads(), 1);
    settle().await;
    assert!(service.lock.acquire(ADA, SECOND).await.unwrap().is_some(), "nobody has the lease any more");
}

#[tokio::test]
async fn a_slow_load_keeps_its_lease() {
    let service = Service::new();
    let loader = Loader::value(36).gated();
    let callers = [service.process(), service.process()].map(|users| ask(&users, &loader));
    // Less than its ttl, which counts from when it began.
    service.clock.run(50 * SECOND).await;
    assert_eq!(loader.loads(), 1);
    loader.gate().open();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 36);
    }
    assert_eq!(loader.loads(), 1);
}

#[tokio::test]
async fn when_the_process_that_loads_dies_another_one_takes_over_within_the_lease() {
    let service = Service::new();
    // It got the lease, and was never heard of again.
    service.lock.acquire(ADA, 10 * SECOND).await.unwrap().unwrap();
    let loader = Loader::value(36);
    let caller = ask(&service.process(), &loader);
    service.clock.run(10 * SECOND - Duration::from_millis(1)).await;
    assert_eq!(loader.loads(), 0);
    service.clock.run(Duration::from_millis(1)).await;
    assert_eq!(caller.await.unwrap().unwrap(), 36);
}

#[tokio::test]
async fn the_lease_lasts_as_long_as_was_said() {
    let service = Service::new();
    let leaving = service.process_with(|users| users.lock_lease(3 * SECOND));
    let gated: Loader<u32> = Loader::value(1).gated();
    let load = gated.load();
    let dying = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let asking = tokio::spawn(async move { leaving.get_or_load("ada", load).await });
            settle().await;
            asking.abort();
        });
        // Its tasks end with it, and nothing is given back.
        drop(runtime);
    });
    dying.join().unwrap();
    assert_eq!(gated.loads(), 1);
    let caller = ask(&service.process(), &Loader::value(36));
    service.clock.run(3 * SECOND - Duration::from_millis(1)).await;
    assert!(!caller.is_finished());
    service.clock.run(Duration::from_millis(1)).await;
    assert_eq!(caller.await.unwrap().unwrap(), 36);
}

#[tokio::test]
async fn a_caller_that_is_dropped_in_its_own_load_gives_the_lease_back() {
    let service = Service::new();
    let users = service.process();
    let asking = tokio::spawn(async move {
        users.get_or_load_scoped("ada", async || pending::<Result<u32, &'static str>>().await).await
    });
    settle().await;
    asking.abort();
    settle().await;
    assert!(service.lock.acquire(ADA, SECOND).await.unwrap().is_some());
}

#[tokio::test]
async fn a_load_that_panics_gives_the_lease_back() {
    let service = Service::new();
    let panicked = ask(&service.process(), &Loader::panicking("no")).await.unwrap();
    assert!(matches!(panicked, Err(LoadError::Panicked(_))));
    settle().await;
    assert!(service.lock.acquire(ADA, SECOND).await.unwrap().is_some());
}

#[tokio::test]
async fn a_failed_load_is_followed_by_that_of_the_next() {
    let service = Service::new();
    let loader = Loader::failing("no such row").then_value(36).gated();
    let callers = [service.process(), service.process(), service.process()].map(|users| ask(&users, &loader));
    settle().await;
    loader.gate().open();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap().ok());
    }
    answers.sort();
    assert_eq!(answers, [None, Some(36), Some(36)]);
    assert_eq!(loader.loads(), 2);
}

#[tokio::test]
async fn who_has_waited_for_eight_loads_in_vain_loads_without_the_lease() {
    let service = Service::new();
    let loader = Loader::failing("no such row").gated();
    let processes: Vec<_> = (0..10).map(|_| service.process()).collect();
    let callers: Vec<_> = processes.iter().map(|users| ask(users, &loader)).collect();
    for begun in 1..=8 {
        settle().await;
        assert_eq!(loader.loads(), begun);
        loader.gate().let_one_through();
    }
    settle().await;
    assert_eq!(loader.loads(), 10, "the last two at the same time");
    loader.gate().open();
    for caller in callers {
        assert!(matches!(caller.await.unwrap(), Err(LoadError::Load(_))));
    }
    let unlocked: u64 = processes.iter().map(|users| users.stats().loads_without_lease).sum();
    assert_eq!(unlocked, 2);
}

#[tokio::test]
async fn a_lock_that_fails_keeps_nobody_from_loading_and_is_left_alone_for_a_while() {
    let service = Service::new();
    service.lock.fails.store(true, SeqCst);
    let users = service.process();
    assert_eq!(ask(&users, &Loader::value(36)).await.unwrap().unwrap(), 36);
    assert!(service.was_told("LockFailed"));
    assert_eq!(service.lock.calls.load(SeqCst), 1);

    users.remove("ada").await.unwrap();
    assert_eq!(ask(&users, &Loader::value(37)).await.unwrap().unwrap(), 37);
    assert_eq!(service.lock.calls.load(SeqCst), 1, "it is not asked again so soon");
    assert_eq!(users.stats().loads_without_lease, 2);

    service.lock.fails.store(false, SeqCst);
    service.clock.run(5 * SECOND).await;
    users.remove("ada").await.unwrap();
    assert_eq!(ask(&users, &Loader::value(38)).await.unwrap().unwrap(), 38);
    assert_eq!(users.stats().loads_without_lease, 2);
}

#[tokio::test]
async fn a_lock_that_does_not_answer_holds_a_load_up_for_a_second() {
    let service = Service::new();
    service.lock.hangs.store(true, SeqCst);
    let caller = ask(&service.process(), &Loader::value(36));
    service.clock.run(SECOND - Duration::from_millis(1)).await;
    assert!(!caller.is_finished());
    service.clock.run(Duration::from_millis(1)).await;
    assert_eq!(caller.await.unwrap().unwrap(), 36);
    assert!(service.was_told("a lock that shakes has not answered within 1s"));
}

#[tokio::test]
async fn a_lock_that_fails_while_somebody_waits_keeps_it_from_nothing() {
    let service = Service::new();
    service.lock.acquire(ADA, 3_600 * SECOND).await.unwrap().unwrap();
    let caller = ask(&service.process(), &Loader::value(36));
    service.clock.run(10 * SECOND).await;
    assert!(!caller.is_finished());
    service.lock.fails.store(true, SeqCst);
    service.clock.run(SECOND).await;
    assert_eq!(caller.await.unwrap().unwrap(), 36);
}

#[tokio::test]
async fn a_lease_that_is_lost_is_told_and_the_load_goes_on() {
    let service = Service::new();
    let loader = Loader::value(36).gated();
    let caller = ask(&service.process(), &loader);
    settle().await;
    service.lock.forgets.store(true, SeqCst);
    service.clock.run(4 * SECOND).await;
    assert!(service.was_told("LeaseLost"));
    loader.gate().open();
    assert_eq!(caller.await.unwrap().unwrap(), 36);
}

#[tokio::test]
async fn time_outs_count_from_the_beginning_of_the_wait() {
    let service = Service::new();
    service.lock.acquire(ADA, 3_600 * SECOND).await.unwrap().unwrap();
    let users = service.process_with(|users| users.hard_timeout(2 * SECOND));
    let caller = ask(&users, &Loader::value(36));
    service.clock.run(2 * SECOND).await;
    assert!(matches!(caller.await.unwrap(), Err(LoadError::Timeout)));
}

#[tokio::test]
async fn a_stale_entry_is_reloaded_by_one_process_and_the_others_take_that() {
    let service = Service::new();
    let processes: Vec<_> = (0..4).map(|_| service.process_with(|users| users.stale(60 * SECOND))).collect();
    let loader = Loader::value(36).then_value(37).gated();
    loader.gate().open();
    for users in &processes {
        assert_eq!(ask(users, &loader).await.unwrap().unwrap(), 36);
    }
    loader.gate().close();
    service.clock.run(61 * SECOND).await;
    for users in &processes {
        assert_eq!(ask(users, &loader).await.unwrap().unwrap(), 36, "at once");
    }
    settle().await;
    loader.gate().open();
    settle().await;
    assert_eq!(loader.loads(), 2);
    for users in &processes {
        assert_eq!(users.get("ada").await.unwrap(), Some(37));
        assert_eq!(users.lookup("ada").await.unwrap().unwrap().level(), 0);
    }
}

#[tokio::test]
async fn who_wants_a_new_value_does_not_take_what_another_process_began_to_load_before() {
    let service = Service::new();
    let (first, second) = (service.process(), service.process());
    let loader = Loader::value(36).then_value(37).gated();
    let early = ask(&first, &loader);
    settle().await;
    service.clock.run(SECOND).await;
    let late = ask(&second.with(CallOptions::force_refresh), &loader);
    settle().await;
    loader.gate().open();
    assert_eq!((early.await.unwrap().unwrap(), late.await.unwrap().unwrap()), (36, 37));
}

#[test]
fn it_needs_no_runtime() {
    let service = Service::new();
    let users = service.process();
    let loader: Loader<u32> = Loader::value(36);
    futures::executor::block_on(async {
        assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
        assert!(service.lock.acquire(ADA, SECOND).await.unwrap().is_some(), "the lease was given back");
    });
}

#[test]
#[should_panic(expected = "say it after `.chain`")]
fn a_cache_that_shares_nothing_has_no_use_for_it() {
    let _ = Cache::new(Fake::<str, u32>::new()).lock(LocalLock::default());
}

#[test]
#[should_panic(expected = "`.lock` governs loads")]
fn a_level_behind_another_one_has_no_use_for_it() {
    let far = Cache::new(FakeBytes::new()).codec(Json).lock(LocalLock::default());
    let _ = Cache::new(Fake::<str, u32>::new()).chain(far);
}

#[test]
#[should_panic(expected = "say it after `.lock`")]
fn leases_are_those_of_a_lock() {
    let _ = Cache::<str, bytes::Bytes, _, _>::new(FakeBytes::new()).lock_lease(SECOND);
}

#[test]
#[should_panic(expected = "give it 30ms or more")]
fn a_lease_that_could_not_be_renewed_is_refused() {
    let users = Cache::<str, bytes::Bytes, _, _>::new(FakeBytes::new()).lock(LocalLock::default());
    let _ = users.lock_lease(Duration::from_millis(29));
}
