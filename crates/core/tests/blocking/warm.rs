//! Many keys loaded before they are asked for.

use super::{CURRENT_THREAD, MANY_THREADS, SECOND, memory, panics, runtime, two_levels};
use futures::executor;
use larder_core::{Blocking, Cache, LoadContext, LoadError, Operation, WarmReport, Warmed, load};
use larder_testkit::{Fake, Gate, MockClock};
use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, ThreadId};
use tokio::runtime::{Builder, Handle};

fn counts<K, E>(report: &WarmReport<K, E>) -> (usize, usize, usize) {
    (report.loaded(), report.present(), report.failed())
}

const NAMES: [&str; 4] = ["1", "2", "three", "4"];

#[allow(clippy::needless_pass_by_value, reason = "as loads are given their keys")]
fn parse(name: String) -> Result<u32, std::num::ParseIntError> {
    name.parse()
}

#[test]
fn keys_are_loaded_one_after_the_other_on_the_calling_thread() {
    let ages = memory().blocking();
    ages.insert("2", 2).unwrap();
    let (here, table, told) = (thread::current().id(), vec![1, 2, 4], Mutex::new(Vec::new()));
    let load = |name: String| {
        assert_eq!(thread::current().id(), here);
        let age = parse(name).map_err(|error| error.to_string())?;
        assert!(table.contains(&age));
        Ok::<_, String>(age)
    };
    let tell = |at: larder_core::WarmProgress| told.lock().unwrap().push((at.done, at.failed, at.total));
    let report = ages.warm(NAMES, load).on_progress(tell).run();
    assert_eq!(
        (counts(&report), report.to_string().as_str()),
        ((2, 1, 1), "2 loaded, 1 there already, 1 failed")
    );
    let keys: Vec<&str> = report.keys().iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, NAMES);
    assert_eq!(
        told.into_inner().unwrap(),
        [(1, 0, Some(4)), (2, 0, Some(4)), (3, 1, Some(4)), (4, 1, Some(4))]
    );
    assert_eq!((ages.get_now("4"), ages.stats().loads), (Some(4), 3));
}

#[test]
fn so_many_threads_load_at_a_time_and_progress_is_told_on_the_calling_one() {
    for threads in [2, 3] {
        let ages = Cache::new(Fake::<u64, u64>::new()).blocking();
        let (here, told) = (thread::current().id(), Mutex::new(0));
        let (meeting, seen) = (Barrier::new(threads), Mutex::new(HashSet::<ThreadId>::new()));
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let load = |key: u64| {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            seen.lock().unwrap().insert(thread::current().id());
            // Together, or never.
            meeting.wait();
            now.fetch_sub(1, SeqCst);
            Ok::<_, String>(key * key)
        };
        // The keys need not be able to go to other threads.
        let next = Cell::new(0_u64);
        let keys = std::iter::from_fn(|| Some(next.replace(next.get() + 1)).filter(|key| *key < 12));
        let tell = |at: larder_core::WarmProgress| {
            assert_eq!((thread::current().id(), at.total), (here, None));
            *told.lock().unwrap() += 1;
        };
        let report = ages.warm(keys, load).concurrency(threads).on_progress(tell).run();
        assert_eq!((counts(&report), *told.lock().unwrap()), ((12, 0, 0), 12));
        assert!(report.keys().iter().map(|(key, _)| *key).eq(0..12), "as they were given");
        let seen = seen.into_inner().unwrap();
        assert_eq!((most.load(SeqCst), seen.len(), seen.contains(&here)), (threads, threads, false));
    }
}

#[test]
fn no_more_threads_begin_than_there_are_keys() {
    let report = memory().blocking().warm(NAMES, parse).concurrency(usize::MAX).run();
    assert_eq!(counts(&report), (3, 0, 1));
    let none = memory().blocking().warm(<[&str; 0]>::default(), parse).concurrency(4).run();
    assert_eq!(counts(&none), (0, 0, 0));
}

#[test]
fn a_load_that_panics_is_a_failure_of_its_key_and_other_panics_are_those_of_the_caller() {
    let load = |name: String| if name == "2" { panic!("no bread") } else { parse(name) };
    for threads in [1, 3] {
        let ages = memory().blocking();
        let report = ages.warm(NAMES, load).concurrency(threads).run();
        assert_eq!(counts(&report), (2, 0, 2));
        assert!(
            matches!(&report.keys()[1].1, Warmed::Failed(LoadError::Panicked(message)) if &**message == "no bread")
        );

        let telling = ages.warm(NAMES, parse).concurrency(threads).on_progress(|at| panic!("told of {at}"));
        let message = panics(|| Ok(Some(u32::try_from(telling.run().loaded()).unwrap())));
        assert!(message.starts_with("told of 1 of 4"), "{message}");
        assert_eq!(counts(&ages.warm(["1", "4"], parse).run()), (0, 2, 0), "and nothing is stuck");
    }
}

/// A key in whose code there is a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bad(u32);

impl std::hash::Hash for Bad {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        assert_ne!(self.0, 2, "no butter");
        self.0.hash(state);
    }
}

#[test]
fn a_thread_that_panics_keeps_nobody_waiting() {
    let ages = Cache::new(Fake::<Bad, u32>::new()).blocking();
    let warm = ages.warm((0..9).map(Bad), |key| Ok::<_, String>(key.0)).concurrency(2);
    let panic = catch_unwind(AssertUnwindSafe(|| warm.run())).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("no butter"));
}

#[test]
fn what_is_stale_is_loaded_and_a_failure_is_told_whatever_stands_in() {
    let clock = MockClock::new();
    let ages =
        Cache::new(Fake::<str, u32>::new()).ttl(SECOND).stale(SECOND).fallback(|_| 0).clock(clock.clone());
    let ages = ages.blocking();
    ages.insert_many([("1", 7), ("three", 7)]).all().unwrap();
    clock.advance(SECOND);
    assert_eq!(counts(&ages.warm(["1", "three", "four"], parse).concurrency(2).run()), (1, 0, 2));
    assert_eq!((ages.get("1").unwrap(), ages.get("three").unwrap()), (Some(1), Some(7)));
}

#[test]
fn it_goes_where_a_blocking_call_may_wait_and_says_so_elsewhere() {
    let work = |threads| {
        let (ages, far) = two_levels();
        let ages = ages.blocking();
        let report = ages.warm(["1", "2", "4"], parse).concurrency(threads).run();
        assert_eq!((counts(&report), far.count(Operation::Write)), ((3, 0, 0), 3));
    };
    work(1);
    work(3);
    let (current, many) = (runtime(CURRENT_THREAD), runtime(MANY_THREADS));
    for threads in [1, 3] {
        for runtime in [&current, &many] {
            runtime.block_on(async { tokio::task::spawn_blocking(move || work(threads)).await.unwrap() });
        }
        many.block_on(async { tokio::spawn(async move { work(threads) }).await.unwrap() });
    }
    current.block_on(async {
        work(1);
        let ages = memory().blocking();
        let warm = ages.warm(["1"], parse).concurrency(2);
        let message = panics(|| Ok(Some(u32::try_from(warm.run().loaded()).unwrap())));
        assert!(message.contains("`.await`") && message.contains("spawn_blocking"), "{message}");
        assert_eq!(ages.stats().loads, 0);
    });
}

#[test]
fn threads_that_are_all_taken_keep_no_warming_waiting() {
    let runtime = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap();
    let (ages, far) = two_levels();
    let ages = ages.blocking();
    far.gate(Operation::Read).close();
    let meeting = Arc::new(Barrier::new(4));
    let warming = |names: [&'static str; 2]| {
        let (ages, meeting) = (ages.clone(), Arc::clone(&meeting));
        move || {
            let load = |name| {
                meeting.wait();
                parse(name)
            };
            assert_eq!(counts(&ages.warm(names, load).concurrency(2).run()), (2, 0, 0));
        }
    };
    let (thread, task) = (warming(["1", "2"]), warming(["3", "4"]));
    let thread = runtime.spawn_blocking(thread);
    let task = runtime.spawn(async move { task() });
    executor::block_on(far.gate(Operation::Read).reached(4));
    far.gate(Operation::Read).open();
    executor::block_on(thread).unwrap();
    executor::block_on(task).unwrap();
}

#[test]
fn its_threads_are_in_the_runtime_of_their_caller_and_in_its_load() {
    let runtime = runtime(MANY_THREADS);
    let ages = memory().blocking();
    let pages: Blocking<str, u32> = memory().blocking();
    let own = runtime.handle().id();
    let load = |name| {
        assert_eq!(Handle::current().id(), own);
        assert!(load::depends_on("ages"), "a tag of the age");
        parse(name)
    };
    let page =
        || Ok::<_, String>(u32::try_from(ages.warm(["1", "2"], load).concurrency(2).run().loaded()).unwrap());
    let _in = runtime.enter();
    assert_eq!(pages.get_or_load("home", page).unwrap(), 2);
    ages.invalidate_tag("ages").unwrap();
    assert_eq!((ages.get("1").unwrap(), pages.get("home").unwrap()), (None, None));
}

#[test]
fn loads_of_a_cache_with_a_loader_go_on_together_in_the_calling_thread() {
    let gate = Gate::closed();
    let behind = gate.clone();
    let ages = memory()
        .loader(move |cx: LoadContext<str, u32>| {
            let gate = behind.clone();
            async move {
                gate.pass().await;
                cx.key().parse::<u32>()
            }
        })
        .blocking();
    let told = AtomicUsize::new(0);
    let tell = |at: larder_core::WarmProgress| told.store(at.done, SeqCst);
    thread::scope(|scope| {
        let warming = scope.spawn(|| ages.warm(NAMES).concurrency(3).on_progress(tell).run());
        executor::block_on(gate.reached(3));
        assert_eq!(gate.times_reached(), 3, "and no more");
        gate.open();
        assert_eq!(counts(&warming.join().unwrap()), (3, 0, 1));
    });
    assert_eq!((told.load(SeqCst), ages.get_now("4")), (4, Some(4)));
    let default = ages.with(larder_core::CallOptions::force_refresh);
    assert_eq!(counts(&default.warm(["1", "2"]).run()), (2, 0, 0));
}

#[test]
#[should_panic(expected = "say at least 1")]
fn a_concurrency_of_zero_is_refused() {
    drop(memory().blocking().warm(NAMES, parse).concurrency(0));
}
