//! `blocking()`: the operations of a cache for synchronous code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod loading;
mod many;
mod owned;
mod warm;

use futures::executor;
use larder_core::{
    Cache, Capabilities, Chain, Entry, Level, LoadContext, LoadError, Native, Operation, Result, Store, load,
};
use larder_testkit::{Fake, Gate, MockClock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const SECOND: Duration = Duration::from_secs(1);

fn memory() -> Cache<str, u32> {
    Cache::new(Fake::new()).boxed()
}

type Two = Chain<Level<Fake<str, u32>, Native>, Level<Fake<str, u32>, Native>>;

/// Memory over a store that is far away.
fn two_levels() -> (Cache<str, u32, Two>, Fake<str, u32>) {
    let far = Fake::remote();
    (Cache::new(Fake::new()).chain(Cache::new(far.clone())).clock(MockClock::new()), far)
}

fn runtime(threads: usize) -> Runtime {
    match threads {
        1 => Builder::new_current_thread().enable_all().build().unwrap(),
        _ => Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
    }
}

const CURRENT_THREAD: usize = 1;
const MANY_THREADS: usize = 2;

/// Opens the gate as soon as somebody stands before it.
fn answered(gate: &Gate, work: impl FnOnce() -> Option<u32> + Send) -> Option<u32> {
    gate.close();
    let already = gate.times_reached();
    std::thread::scope(|scope| {
        let asking = scope.spawn(work);
        executor::block_on(gate.reached(already + 1));
        gate.open();
        asking.join().unwrap()
    })
}

fn panics(work: impl FnOnce() -> Result<Option<u32>>) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn memory_needs_no_runtime() {
    let ages = Cache::new(Fake::<str, u32>::new()).stale_if_error(SECOND).clock(MockClock::new()).blocking();
    assert_eq!(ages.get("ada").unwrap(), None);
    ages.insert("ada", 36).unwrap();
    assert_eq!((ages.get("ada").unwrap(), ages.get_now("ada")), (Some(36), Some(36)));
    assert!(ages.contains("ada").unwrap());
    assert_eq!(*ages.lookup("ada").unwrap().unwrap().value(), 36);
    ages.expire("ada").unwrap();
    assert_eq!(ages.get_or_load("ada", || Err("down")).unwrap(), 36, "kept for failures");
    ages.remove("ada").unwrap();
    assert_eq!(ages.get_or_load("ada", || Ok::<_, String>(37)).unwrap(), 37);
    assert_eq!(
        ages.get_or_load_with("bob", |cx| cx.key().parse::<u32>().or(Ok::<_, String>(12))).unwrap(),
        12
    );
    assert_eq!(ages.get_or_insert_with("cleo", || 9), 9);
    assert_eq!(ages.invalidate_where(|_, age| *age < 10).unwrap(), 1);
    ages.insert_with("dan", 1, |entry| entry.tag("young")).unwrap();
    ages.insert_with("eve", 2, |entry| entry.tag("younger")).unwrap();
    ages.invalidate_tag("young").unwrap();
    ages.invalidate_tags(["younger"]).unwrap();
    ages.expire_tag("nobody").unwrap();
    ages.expire_tags(["nobody"]).unwrap();
    assert_eq!((ages.get("dan").unwrap(), ages.get("eve").unwrap()), (None, None));
    ages.flush().unwrap();
    ages.shutdown().unwrap();
    ages.clear().unwrap();
    assert_eq!(ages.get("bob").unwrap(), None);
}

#[test]
fn a_store_that_waits_is_waited_for_by_the_thread() {
    let (ages, far) = two_levels();
    let ages = ages.blocking();
    assert_eq!(answered(far.gate(Operation::Read), || ages.get("ada").unwrap()), None);
    let insert = || ages.insert("ada", 36).map(|()| None).unwrap();
    assert_eq!(answered(far.gate(Operation::Write), insert), None);
    ages.cache().with(|call| call.skip_level(1)).blocking().remove("ada").unwrap();
    assert_eq!(answered(far.gate(Operation::Read), || ages.get("ada").unwrap()), Some(36));
    assert_eq!(ages.get_now("ada"), Some(36), "it was copied up");
}

#[test]
fn a_task_of_a_current_thread_runtime_is_answered_at_once_or_told_what_to_do() {
    let (ages, far) = two_levels();
    runtime(CURRENT_THREAD).block_on(async {
        ages.insert("ada", 36).await.unwrap();
        assert_eq!(ages.blocking().get("ada").unwrap(), Some(36));

        far.gate(Operation::Read).close();
        let message = panics(|| ages.blocking().get("bob"));
        assert!(message.contains("`.await`") && message.contains("spawn_blocking"), "{message}");
        far.gate(Operation::Read).open();
        assert_eq!(ages.get("bob").await.unwrap(), None, "nothing is stuck");
    });
}

#[test]
fn a_local_set_of_a_runtime_with_many_threads_is_told_what_to_do() {
    let (ages, far) = two_levels();
    far.gate(Operation::Read).close();
    let local = tokio::task::LocalSet::new();
    let message = local.block_on(&runtime(MANY_THREADS), async { panics(|| ages.blocking().get("bob")) });
    assert!(message.contains("`LocalSet`"), "{message}");
}

#[test]
fn a_task_that_has_worked_for_long_is_still_answered() {
    let ages = memory();
    runtime(CURRENT_THREAD).block_on(async {
        // Tokio makes a task wait after 128 steps.
        for _ in 0..1_000 {
            ages.blocking().clear().unwrap();
        }
    });
}

#[test]
fn threads_of_spawn_blocking_wait_on_either_runtime() {
    for threads in [CURRENT_THREAD, MANY_THREADS] {
        let (ages, far) = two_levels();
        far.gate(Operation::Read).close();
        runtime(threads).block_on(async {
            let asking = tokio::task::spawn_blocking(move || {
                ages.blocking().get_or_load("ada", || Ok::<_, String>(36)).unwrap()
            });
            far.gate(Operation::Read).reached(1).await;
            far.gate(Operation::Read).open();
            assert_eq!(asking.await.unwrap(), 36);
        });
    }
}

#[test]
fn a_task_of_the_only_worker_waits_while_its_other_tasks_go_on() {
    let (ages, far) = two_levels();
    far.gate(Operation::Read).close();
    runtime(MANY_THREADS).block_on(async {
        let asking = tokio::spawn(async move { ages.blocking().get("ada").unwrap() });
        let opening = tokio::spawn(async move {
            far.gate(Operation::Read).reached(1).await;
            far.gate(Operation::Read).open();
        });
        opening.await.unwrap();
        assert_eq!(asking.await.unwrap(), None);
    });
}

#[test]
fn a_runtime_that_nobody_drives_keeps_nobody_waiting() {
    let (ages, far) = two_levels();
    let idle = runtime(CURRENT_THREAD);
    let _in = idle.enter();
    let ages = ages.blocking();
    ages.insert("ada", 36).unwrap();
    assert_eq!(ages.get_or_load("bob", || Ok::<_, String>(12)).unwrap(), 12);
    ages.remove("ada").unwrap();
    assert_eq!(ages.get("ada").unwrap(), None);
    ages.clear().unwrap();
    assert_eq!(far.len(), 0);
}

#[test]
fn what_is_stale_is_served_by_a_runtime_that_nobody_drives_too() {
    let clock = MockClock::new();
    let (near, far) = (Fake::<str, u32>::new(), Fake::remote());
    let levels = Cache::new(near).ttl(SECOND).stale(SECOND).chain(Cache::new(far)).clock(clock.clone());
    let idle = runtime(CURRENT_THREAD);
    let _in = idle.enter();
    let numbers = levels.loader(async |_: LoadContext<str, u32>| Ok::<_, String>(37)).blocking();
    numbers.insert("ada", 36).unwrap();
    clock.advance(SECOND);

    let ages = numbers.cache().blocking();
    assert_eq!(ages.get("ada").unwrap(), Some(36), "nobody is sent to ask the level behind");
    ages.cache().with(|call| call.skip_level(0)).blocking().remove("ada").unwrap();
    assert_eq!(numbers.get("ada").unwrap(), 37, "loaded by who asked");
    assert_eq!(numbers.get("ada").unwrap(), 37, "and by nobody else");
    assert_eq!(numbers.cache().stats().loads, 1);
}

/// A store that works only where there is a runtime, as a driver with connections.
struct Connected;

impl Store<str> for Connected {
    type Value = u32;

    async fn get(&self, _: &str) -> Result<Option<Entry<u32>>> {
        tokio::spawn(async {}).await.unwrap();
        Ok(None)
    }
    async fn insert(&self, _: &str, _: Entry<u32>) -> Result<()> {
        tokio::spawn(async {}).await.unwrap();
        Ok(())
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn get_now(&self, _: &str) -> Poll<Option<Entry<u32>>> {
        Poll::Pending
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
    }
}

#[test]
fn a_handle_takes_the_runtime_that_it_was_made_in_along() {
    let runtime = runtime(MANY_THREADS);
    let ages = {
        let _in = runtime.enter();
        Cache::new(Connected).blocking()
    };
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| ages.get_or_load("ada", || Ok::<_, String>(36)).unwrap());
        assert_eq!(asking.join().unwrap(), 36);
    });
    assert_eq!(ages.clone().get("ada").unwrap(), None);
}

#[test]
fn what_a_load_was_given_by_another_cache_it_depends_on() {
    let work = || {
        let (users, pages) = (memory().blocking(), memory().blocking());
        let page = || {
            load::depends_on("layout");
            users.get_or_load_with("ada", |cx| {
                cx.tag("user:ada");
                Ok::<_, String>(36)
            })
        };
        pages.get_or_load("/ada", page).unwrap();
        users.invalidate_tag("user:ada").unwrap();
        assert_eq!(pages.get("/ada").unwrap(), None);

        pages.get_or_load("/ada", page).unwrap();
        pages.invalidate_tag("layout").unwrap();
        assert_eq!(pages.get("/ada").unwrap(), None);
    };
    work();
    for threads in [CURRENT_THREAD, MANY_THREADS] {
        let runtime = runtime(threads);
        runtime.block_on(async { tokio::spawn(async move { work() }).await.unwrap() });
        runtime.block_on(async { tokio::task::spawn_blocking(work).await.unwrap() });
    }
}

#[test]
fn a_load_may_drive_a_runtime_of_its_own_or_that_of_its_caller() {
    let ages = memory().blocking();
    let own = || {
        Ok::<_, String>(runtime(CURRENT_THREAD).block_on(async { tokio::spawn(async { 36 }).await.unwrap() }))
    };
    assert_eq!(ages.get_or_load("ada", own).unwrap(), 36);
    let many = runtime(MANY_THREADS);
    let outer = async move {
        let load = || Ok::<_, String>(tokio::runtime::Handle::current().block_on(async { 12 }));
        ages.get_or_load("bob", load).unwrap()
    };
    assert_eq!(many.block_on(many.spawn(outer)).unwrap(), 12);
}

#[test]
fn a_load_that_asks_for_its_own_key_is_told_so() {
    let ages = memory().blocking();
    let inner = || ages.get_or_load("ada", || Ok::<_, String>(1)).map_err(|error| error.to_string());
    let error = ages.get_or_load("ada", inner).unwrap_err();
    assert!(error.as_load().unwrap().contains("waits for it"), "{error}");
}

#[test]
fn a_load_that_panics_is_an_error_and_the_next_one_loads() {
    let ages = memory().blocking();
    let panicking = || -> std::result::Result<u32, String> { panic!("no bread") };
    let error = ages.get_or_load("ada", panicking).unwrap_err();
    assert!(matches!(error, LoadError::Panicked(message) if &*message == "no bread"));
    assert_eq!(ages.get_or_load("ada", || Ok::<_, String>(36)).unwrap(), 36);
    assert!(
        panics(|| Ok(Some(ages.get_or_insert_with("bob", || panic!("no butter"))))).contains("no butter")
    );
}

#[test]
fn threads_that_miss_one_key_load_it_once() {
    let ages = memory().blocking();
    let (began, has_begun) = channel();
    let (go_on, may_go_on) = channel::<()>();
    std::thread::scope(|scope| {
        let ages = &ages;
        let leading = scope.spawn(move || {
            ages.get_or_load("ada", move || {
                began.send(()).unwrap();
                may_go_on.recv().map_err(|error| error.to_string())?;
                Ok::<_, String>(36)
            })
        });
        has_begun.recv().unwrap();
        let joining: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| ages.get_or_load("ada", || Err::<u32, _>("twice".to_string()))))
            .collect();
        while ages.cache().stats().joins < 4 {
            std::thread::yield_now();
        }
        go_on.send(()).unwrap();
        assert_eq!(leading.join().unwrap().unwrap(), 36);
        for joined in joining {
            assert_eq!(joined.join().unwrap().unwrap(), 36);
        }
    });
    assert_eq!(ages.cache().stats().loads, 1);
}

#[test]
fn synchronous_and_asynchronous_callers_wait_for_each_other() {
    let ages = memory();
    let runtime = runtime(MANY_THREADS);
    let gate = Gate::closed();
    let (users, behind) = (ages.clone(), gate.clone());
    let load = async move || {
        behind.pass().await;
        Ok::<_, String>(36)
    };
    let leading = runtime.spawn(async move { users.get_or_load("ada", load).await.unwrap() });
    executor::block_on(gate.reached(1));
    std::thread::scope(|scope| {
        let joining =
            scope.spawn(|| ages.blocking().get_or_load("ada", || Err::<u32, _>("twice".to_string())));
        while ages.stats().joins < 1 {
            std::thread::yield_now();
        }
        gate.open();
        assert_eq!(joining.join().unwrap().unwrap(), 36);
    });
    assert_eq!(runtime.block_on(leading).unwrap(), 36);
}

// A load in a task would wait for the one worker, which waits for the one thread that waits for the load.
#[test]
fn threads_that_are_all_taken_keep_no_load_waiting() {
    let runtime = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap();
    let ages = memory();
    let meeting = Arc::new(Barrier::new(2));
    let load = |key: &'static str| {
        let (ages, meeting) = (ages.blocking(), Arc::clone(&meeting));
        move || {
            let meet = || {
                meeting.wait();
                Ok::<_, String>(36)
            };
            ages.get_or_load(key, meet).unwrap()
        }
    };
    let (thread, task) = (load("ada"), load("bob"));
    let thread = runtime.spawn_blocking(thread);
    let task = runtime.spawn(async move { task() });
    assert_eq!(executor::block_on(thread).unwrap(), 36);
    assert_eq!(executor::block_on(task).unwrap(), 36);
}

#[test]
fn who_reloads_a_stale_value_waits_and_the_others_are_served_it() {
    let clock = MockClock::new();
    let ages = Cache::new(Fake::<str, u32>::new()).ttl(SECOND).stale(SECOND).clock(clock.clone()).blocking();
    ages.insert("ada", 36).unwrap();
    clock.advance(SECOND);
    let reload = || {
        assert_eq!(ages.get("ada").unwrap(), Some(36));
        Ok::<_, String>(37)
    };
    assert_eq!(ages.get_or_load("ada", reload).unwrap(), 37);
    clock.advance(SECOND);
    assert_eq!(ages.get_or_load("ada", || Err("down")).unwrap(), 37, "what is stale stands in");
}
