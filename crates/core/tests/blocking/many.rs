//! Many keys at once.

use super::{CURRENT_THREAD, MANY_THREADS, SECOND, panics, runtime};
use bytes::Bytes;
use futures::executor;
use larder_core::{Blocking, Cache, LoadError, Operation, load};
use larder_testkit::{Fake, FakeBytes, MockClock};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc::channel};
use tokio::runtime::Builder;

type Texts = Blocking<str, Bytes>;
type Loaded = Result<HashMap<String, Bytes>, String>;

/// Memory before bytes that are far away; fresh and stale for a second each.
fn two_levels() -> (Texts, FakeBytes, MockClock) {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let cache = Cache::new(Fake::new()).chain(Cache::new(back.clone())).clock(clock.clone());
    (cache.ttl(SECOND).stale(SECOND).boxed().blocking(), back, clock)
}

fn another(back: &FakeBytes, clock: &MockClock) -> Texts {
    Cache::new(back.clone()).clock(clock.clone()).ttl(SECOND).stale(SECOND).boxed().blocking()
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn texts(keys: &[&str]) -> Vec<Option<Bytes>> {
    keys.iter().map(|key| (*key != "nobody").then(|| text(key))).collect()
}

#[allow(clippy::unnecessary_wraps, reason = "loads may fail")]
fn named(keys: Vec<String>) -> Loaded {
    Ok(keys.into_iter().filter(|key| key != "nobody").map(|key| (key.clone(), Bytes::from(key))).collect())
}

/// What each call was asked for.
fn noted(calls: &mut Vec<Vec<String>>) -> impl FnMut(Vec<String>) -> Loaded {
    |mut keys| {
        keys.sort();
        calls.push(keys.clone());
        named(keys)
    }
}

/// All four operations, and how many calls the store was asked for.
fn work(cache: &Texts, back: &FakeBytes) {
    let before = back.calls().len();
    cache.insert_many([("ada", text("ada")), ("bob", text("bob"))]).all().unwrap();
    cache.remove_many(["bob"]).all().unwrap();
    assert_eq!(cache.get_many(["ada", "bob"]).all().unwrap(), [Some(text("ada")), None]);
    let mut calls = Vec::new();
    let keys = ["eve", "ada", "nobody", "eve"];
    assert_eq!(cache.load_many(keys, noted(&mut calls)).all().unwrap(), texts(&keys));
    assert_eq!(calls, [["eve", "nobody"]]);
    let asked = [Operation::Write, Operation::Remove, Operation::Read, Operation::Read, Operation::Write];
    assert_eq!(back.calls()[before..], asked, "one call each");
    cache.clear().unwrap();
}

#[test]
fn many_keys_are_one_call_a_level_wherever_the_caller_is() {
    let (cache, back, _) = two_levels();
    work(&cache, &back);
    for threads in [CURRENT_THREAD, MANY_THREADS] {
        let runtime = runtime(threads);
        {
            let _in = runtime.enter();
            work(&cache, &back);
        }
        let own = (cache.clone(), back.clone());
        runtime.block_on(async { work(&own.0, &own.1) });
        let task = (own.0.clone(), own.1.clone());
        runtime.block_on(async { tokio::spawn(async move { work(&task.0, &task.1) }).await.unwrap() });
        let thread = async { tokio::task::spawn_blocking(move || work(&own.0, &own.1)).await.unwrap() };
        runtime.block_on(thread);
    }
}

// A task would wait for the one worker, or the one thread of the pool, which wait for it.
#[test]
fn threads_that_are_all_taken_keep_no_call_of_many_keys_waiting() {
    let runtime = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap();
    let (cache, back, clock) = two_levels();
    another(&back, &clock).insert_many([("cleo", text("cleo")), ("dan", text("dan"))]).all().unwrap();
    let meeting = Arc::new(Barrier::new(2));
    let gates = [Operation::Read, Operation::Write, Operation::Remove];
    for operation in gates {
        back.gate(operation).close();
    }
    let all = |found: &'static str, key: &'static str| {
        let (cache, meeting) = (cache.clone(), Arc::clone(&meeting));
        move || {
            let load = |keys| {
                meeting.wait();
                named(keys)
            };
            assert_eq!(cache.load_many([found, key], load).all().unwrap(), texts(&[found, key]));
            cache.insert_many([(found, text("new")), (key, text("new"))]).all().unwrap();
            cache.remove_many([found]).all().unwrap();
            assert_eq!(cache.get_many([found, key]).all().unwrap(), [None, Some(text("new"))]);
        }
    };
    let (thread, task) = (all("cleo", "ada"), all("dan", "bob"));
    let thread = runtime.spawn_blocking(thread);
    let task = runtime.spawn(async move { task() });
    // Both threads wait for the store, whose answers come from outside.
    executor::block_on(back.gate(Operation::Read).reached(2));
    for operation in gates {
        back.gate(operation).open();
    }
    executor::block_on(thread).unwrap();
    executor::block_on(task).unwrap();
}

#[test]
fn a_task_of_a_current_thread_runtime_is_told_what_to_do_and_nothing_is_stuck() {
    let (cache, back, _) = two_levels();
    runtime(CURRENT_THREAD).block_on(async {
        for operation in [Operation::Read, Operation::Write, Operation::Remove] {
            back.gate(operation).close();
        }
        let calls: [&dyn Fn() -> bool; 4] = [
            &|| cache.get_many(["ada", "bob"]).all().is_ok(),
            &|| cache.load_many(["ada", "bob"], named).all().is_ok(),
            &|| cache.insert_many([("ada", text("ada")), ("bob", text("bob"))]).all().is_ok(),
            &|| cache.remove_many(["ada", "bob"]).all().is_ok(),
        ];
        for call in calls {
            let message = panics(|| Ok(call().then_some(1)));
            assert!(message.contains("`.await`") && message.contains("spawn_blocking"), "{message}");
        }
        for operation in [Operation::Read, Operation::Write, Operation::Remove] {
            back.gate(operation).open();
        }
        let cache = cache.cache();
        let load = async |keys| named(keys);
        assert_eq!(cache.load_many(["ada", "bob"], load).await.all().unwrap(), texts(&["ada", "bob"]));
        cache.insert_many([("ada", text("new")), ("bob", text("new"))]).await.all().unwrap();
        cache.remove_many(["ada"]).await.all().unwrap();
        assert_eq!(cache.get_many(["ada", "bob"]).await.all().unwrap(), [None, Some(text("new"))]);
    });
}

#[test]
fn a_load_may_borrow_and_runs_on_the_thread_of_its_caller() {
    let (cache, ..) = two_levels();
    let (here, calls) = (std::thread::current().id(), Cell::new(0));
    let load = |keys| {
        calls.set(calls.get() + 1);
        assert_eq!(std::thread::current().id(), here);
        // A runtime of its own, as blocking clients have.
        runtime(CURRENT_THREAD).block_on(async { tokio::spawn(async move { named(keys) }).await.unwrap() })
    };
    assert_eq!(cache.load_many(["ada", "bob"], load).all().unwrap(), texts(&["ada", "bob"]));
    assert_eq!(calls.get(), 1);
}

#[test]
fn a_load_that_fails_or_panics_fails_for_its_keys_and_the_next_one_loads() {
    let (cache, ..) = two_levels();
    cache.insert("ada", text("ada")).unwrap();
    let failed = cache.load_many(["ada", "bob", "eve"], |_| Err("no bread"));
    assert_eq!(failed[0].as_ref().unwrap(), &Some(text("ada")));
    assert!(failed[1..].iter().all(|key| key.as_ref().unwrap_err().as_load() == Some(&"no bread")));

    let panicked = cache.load_many(["bob", "eve"], |_| -> Loaded { panic!("no butter") });
    for key in panicked {
        assert!(matches!(key, Err(LoadError::Panicked(message)) if &*message == "no butter"));
    }
    assert_eq!(cache.load_many(["bob", "eve"], named).all().unwrap(), texts(&["bob", "eve"]));
}

#[test]
fn who_reloads_stale_values_waits_for_them_with_what_is_missing() {
    let (cache, _, clock) = two_levels();
    cache.insert_many([("ada", text("old")), ("bob", text("old"))]).all().unwrap();
    clock.advance(SECOND);
    let mut calls = Vec::new();
    {
        let mut load = noted(&mut calls);
        let load = |keys| {
            assert_eq!(cache.get("ada").unwrap(), Some(text("old")), "others are served it meanwhile");
            load(keys)
        };
        assert_eq!(cache.load_many(["ada", "eve"], load).all().unwrap(), texts(&["ada", "eve"]));
    }
    assert_eq!(calls, [["ada", "eve"]]);
    let down = cache.load_many(["bob"], |_| Err("down")).all().unwrap();
    assert_eq!(down, [Some(text("old"))], "what is stale stands in");
}

#[test]
fn what_is_stale_is_asked_for_in_the_background_where_a_runtime_goes_on() {
    let (cache, back, clock) = two_levels();
    cache.insert_many([("ada", text("old")), ("bob", text("old"))]).all().unwrap();
    clock.advance(SECOND);
    another(&back, &clock).insert_many([("ada", text("ada")), ("bob", text("bob"))]).all().unwrap();
    let old = [Some(text("old")), Some(text("old"))];
    let reads = back.count(Operation::Read);
    back.gate(Operation::Read).close();

    assert_eq!(cache.get_many(["ada", "bob"]).all().unwrap(), old, "nobody is there to ask");
    let idle = runtime(CURRENT_THREAD);
    {
        let _in = idle.enter();
        assert_eq!(cache.get_many(["ada", "bob"]).all().unwrap(), old, "nor does this runtime go on");
    }
    assert_eq!(back.count(Operation::Read), reads);
    let runtime = runtime(MANY_THREADS);
    {
        let _in = runtime.enter();
        assert_eq!(cache.get_many(["ada", "bob"]).all().unwrap(), old, "it does not wait for the store");
    }
    executor::block_on(back.gate(Operation::Read).reached(reads + 1));
    back.gate(Operation::Read).open();
    while cache.get_now("bob") == Some(text("old")) || cache.get_now("ada") == Some(text("old")) {
        std::thread::yield_now();
    }
    assert_eq!(cache.get_many(["ada", "bob"]).all().unwrap(), texts(&["ada", "bob"]));
    assert_eq!(back.count(Operation::Read), reads + 1, "one call for both");
}

#[test]
fn threads_whose_keys_overlap_load_each_key_once() {
    let (cache, ..) = two_levels();
    let loads = AtomicUsize::new(0);
    let (began, has_begun) = channel();
    let (go_on, may_go_on) = channel::<()>();
    std::thread::scope(|scope| {
        let (cache, loads) = (&cache, &loads);
        let first = scope.spawn(move || {
            let load = |keys: Vec<String>| {
                loads.fetch_add(keys.len(), SeqCst);
                began.send(()).unwrap();
                may_go_on.recv().unwrap();
                named(keys)
            };
            cache.load_many(["ada", "bob"], load).all().unwrap()
        });
        has_begun.recv().unwrap();
        let second = scope.spawn(|| {
            let load = |keys: Vec<String>| {
                loads.fetch_add(keys.len(), SeqCst);
                named(keys)
            };
            cache.load_many(["bob", "eve"], load).all().unwrap()
        });
        let single = scope.spawn(|| cache.get_or_load("ada", || Err("twice")).unwrap());
        while cache.stats().joins < 2 {
            std::thread::yield_now();
        }
        go_on.send(()).unwrap();
        assert_eq!(first.join().unwrap(), texts(&["ada", "bob"]));
        assert_eq!(second.join().unwrap(), texts(&["bob", "eve"]));
        assert_eq!(single.join().unwrap(), "ada");
    });
    assert_eq!(loads.load(SeqCst), 3);
}

#[test]
fn what_the_load_says_and_is_given_counts_for_each_of_its_keys() {
    let (cache, ..) = two_levels();
    let teams = Cache::new(Fake::<str, u32>::new()).blocking();
    teams.insert_with("red", 7, |entry| entry.tag("team:red")).unwrap();
    let load = |keys| {
        assert!(load::depends_on("rates"));
        assert_eq!(teams.get("red").unwrap(), Some(7));
        named(keys)
    };
    for tag in ["rates", "team:red"] {
        cache.load_many(["ada", "bob"], load).all().unwrap();
        cache.invalidate_tag(tag).unwrap();
        assert_eq!(cache.get_many(["ada", "bob"]).all().unwrap(), [None, None]);
    }

    let asking = |keys: Vec<String>| {
        let inner = cache.get_or_load("bob", || Ok::<_, String>(text("bob")));
        inner.map_err(|error| error.to_string()).and_then(|_| named(keys))
    };
    let answers = cache.load_many(["ada", "bob"], asking);
    assert!(answers[0].as_ref().unwrap_err().as_load().unwrap().contains("waits for it"), "{answers:?}");
}

#[test]
fn a_handle_says_what_its_calls_ask_for() {
    let (cache, ..) = two_levels();
    cache.insert("ada", text("old")).unwrap();
    let forced = cache.with(larder_core::CallOptions::force_refresh);
    assert_eq!(forced.load_many(["ada", "bob"], named).all().unwrap(), texts(&["ada", "bob"]));
    assert_eq!((cache.get("ada").unwrap(), cache.stats().loads), (Some(text("ada")), 2));
}
