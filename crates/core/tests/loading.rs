//! Promises 1, 3 and 5: one load a key, nobody is hostage, a computed value is never lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{Cache, LoadError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinHandle;

type Users = Cache<str, u32>;

fn users() -> Users {
    Cache::new(Fake::new()).clock(MockClock::new()).boxed()
}

/// A caller of its own task.
fn call<E>(users: &Users, loader: &Loader<u32, E>) -> JoinHandle<Result<u32, LoadError<E>>>
where
    E: Clone + Send + Sync + 'static,
{
    let (users, load) = (users.clone(), loader.load());
    tokio::spawn(async move { users.get_or_load("ada", load).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_of_one_missing_key_cost_one_load() {
    let users = users();
    let loader: Loader<u32> = Loader::value(36).gated();
    let callers: Vec<_> = (0..10_000).map(|_| call(&users, &loader)).collect();
    loader.gate().reached(1).await;
    loader.gate().open();

    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 36);
    }
    assert_eq!(loader.loads(), 1);
    let stats = users.stats();
    assert_eq!(stats.loads, 1);
    assert_eq!(stats.misses(), 1, "joined callers are counted apart from misses");
    assert_eq!(stats.joins + stats.hits(), 9_999);
}

#[tokio::test]
async fn callers_that_wait_are_counted_as_joins() {
    let users = users();
    let loader: Loader<u32> = Loader::value(36).gated();
    let callers: Vec<_> = (0..10).map(|_| call(&users, &loader)).collect();
    settle().await;
    loader.gate().open();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!((users.stats().joins, users.stats().misses(), users.stats().hits()), (9, 1, 0));
}

#[tokio::test]
async fn a_cancelled_first_caller_changes_nothing_for_the_others() {
    let users = users();
    let loader: Loader<u32> = Loader::value(36).gated();
    let first = call(&users, &loader);
    loader.gate().reached(1).await;
    let second = call(&users, &loader);
    settle().await;

    first.abort();
    settle().await;
    loader.gate().open();

    assert_eq!(second.await.unwrap().unwrap(), 36);
    assert_eq!(loader.loads(), 1);
    assert_eq!(users.get("ada").await.unwrap(), Some(36));
}

#[tokio::test]
async fn a_load_goes_on_when_every_caller_has_left() {
    let users = users();
    let loader: Loader<u32> = Loader::value(36).gated();
    {
        let mut call = pin!(users.get_or_load("ada", loader.load()));
        assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
    }
    loader.gate().open();
    settle().await;
    assert_eq!(users.get("ada").await.unwrap(), Some(36));
}

#[tokio::test]
async fn a_panicking_loader_is_an_error_for_all_and_the_next_call_loads_again() {
    let users = users();
    let loader: Loader<u32> = Loader::panicking("the disk is on fire").then_value(36).gated();
    let callers: Vec<_> = (0..5).map(|_| call(&users, &loader)).collect();
    settle().await;
    loader.gate().open();

    for caller in callers {
        match caller.await.unwrap() {
            Err(LoadError::Panicked(message)) => assert_eq!(&*message, "the disk is on fire"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(loader.loads(), 1);
    assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
    assert_eq!(users.stats().load_failures, 1);
}

#[tokio::test]
async fn a_loader_that_panics_before_its_first_await_is_no_different() {
    let users = users();
    let panics = || -> std::future::Ready<Result<u32, String>> { panic!("at once") };
    assert!(matches!(users.get_or_load("ada", panics).await, Err(LoadError::Panicked(_))));
    assert!(matches!(users.get_or_load_scoped("ada", panics).await, Err(LoadError::Panicked(_))));
    assert_eq!(users.get_or_insert_with("ada", async || 36).await, 36);
}

#[tokio::test]
async fn an_error_reaches_all_who_wait_as_the_same_one_and_is_not_stored() {
    let users = users();
    let loader = Loader::failing(String::from("no such user")).then_value(36).gated();
    let callers: Vec<_> = (0..3).map(|_| call(&users, &loader)).collect();
    settle().await;
    loader.gate().open();

    let mut errors = Vec::new();
    for caller in callers {
        match caller.await.unwrap() {
            Err(LoadError::Load(error)) => errors.push(error),
            other => panic!("{other:?}"),
        }
    }
    assert!(errors.iter().all(|error| Arc::ptr_eq(error, &errors[0])));
    assert_eq!(*errors[0], "no such user");
    assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
}

#[tokio::test]
async fn a_joined_caller_with_another_error_type_begins_again_with_its_own_load() {
    let users = users();
    let texts = Loader::failing(String::from("text")).gated();
    let numbers: Loader<u32, u8> = Loader::failing(7);
    let first = call(&users, &texts);
    texts.gate().reached(1).await;
    let second = call(&users, &numbers);
    settle().await;
    texts.gate().open();

    assert_eq!(first.await.unwrap().unwrap_err().as_load().unwrap(), "text");
    assert_eq!(second.await.unwrap().unwrap_err().as_load(), Some(&7));
    assert_eq!((texts.loads(), numbers.loads()), (1, 1));
}

#[test]
fn a_load_left_by_a_runtime_that_ended_leaves_the_key_free() {
    let users = users();
    let loader: Loader<u32> = Loader::value(1).gated();
    let first = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    first.spawn({
        let (users, load) = (users.clone(), loader.load());
        async move { users.get_or_load("ada", load).await }
    });
    first.block_on(loader.gate().reached(1));
    // A caller on another runtime waits for that load when its runtime ends.
    let second = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let joined = second.spawn({
        let users = users.clone();
        async move { users.get_or_load("ada", async || Ok::<_, String>(2)).await }
    });
    while users.stats().joins == 0 {
        std::thread::yield_now();
    }

    first.shutdown_background();

    assert_eq!(second.block_on(joined).unwrap().unwrap(), 2);
    let alone = Cache::<str, u32, _, _>::new(Fake::new());
    assert_eq!(second.block_on(alone.get_or_insert_with("ada", async || 3)), 3);
    assert_eq!(loader.ended(), 0);
}

#[test]
fn the_leader_of_a_load_whose_runtime_ended_gets_an_error_and_not_a_hang() {
    let users = users();
    let loader: Loader<u32> = Loader::value(1).gated();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let call = users.get_or_load("ada", loader.load());
    let mut call = Box::pin(call);
    {
        // The load begins on the runtime; its caller is not a task of it.
        let _inside = runtime.enter();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
    }
    runtime.block_on(loader.gate().reached(1));
    drop(runtime);
    assert!(matches!(futures::executor::block_on(call), Err(LoadError::Abandoned)));
}

#[tokio::test]
async fn a_scoped_load_borrows() {
    let users = users();
    let text = String::from("36");
    let age = users.get_or_load_scoped("ada", async || text.parse::<u32>()).await.unwrap();
    assert_eq!(age, 36);
    assert!(users.get_or_load_scoped("bob", async || "x".parse::<u32>()).await.is_err());
}

#[tokio::test]
async fn when_a_scoped_leader_is_cut_off_one_joined_caller_begins_again() {
    let users = users();
    let loader: Loader<u32> = Loader::value(1).then_value(2).gated();
    let mut leader = Box::pin(users.get_or_load_scoped("ada", loader.load()));
    assert!(poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx))).await.is_pending());
    let joined: Vec<_> = (0..20)
        .map(|_| {
            let (users, load) = (users.clone(), loader.load());
            tokio::spawn(async move { users.get_or_load_scoped("ada", load).await })
        })
        .collect();
    settle().await;
    assert_eq!(loader.loads(), 1);

    // As `tokio::time::timeout` does when its time has come.
    drop(leader);
    settle().await;
    assert_eq!(loader.loads(), 2, "one begins again, the others wait for it");
    loader.gate().open();
    for caller in joined {
        assert_eq!(caller.await.unwrap().unwrap(), 2);
    }
    assert_eq!(loader.loads(), 2);
}

#[test]
fn without_a_runtime_a_load_runs_inside_its_caller() {
    let users = users();
    let age = futures::executor::block_on(users.get_or_load("ada", async || Ok::<_, String>(36)));
    assert_eq!(age.unwrap(), 36);
    assert_eq!(futures::executor::block_on(users.get("ada")).unwrap(), Some(36));
    futures::executor::block_on(users.remove("ada")).unwrap();
    futures::executor::block_on(users.clear()).unwrap();
}

#[tokio::test]
async fn a_computed_value_reaches_its_caller_when_every_store_is_down() {
    let (front, back) = (Fake::<str, bytes::Bytes>::remote(), FakeBytes::new());
    let events = Recorder::new();
    let cache = Cache::new(front.clone()).chain(Cache::new(back.clone())).observer(events.clone());
    let everything = [Operation::Read, Operation::Write, Operation::Remove];
    front.fail(&everything);
    back.fail(&everything);

    for _ in 0..2 {
        let value = cache.get_or_load("ada", async || Ok::<_, String>("countess".into())).await;
        assert_eq!(value.unwrap(), "countess");
    }
    assert_eq!(cache.stats().loads, 2);
    assert_eq!(events.failures().len(), 8, "two reads and two writes a call");
    assert_eq!(cache.stats().levels[1].errors, 4);
}

#[tokio::test]
async fn whoever_misses_before_a_load_lands_and_leads_after_it_finds_its_value() {
    // Forced by hand: the first caller lands between the second one's look and its boarding. That needs real
    // threads to happen, and then it is rare; many rounds find it.
    let loads = Arc::new(AtomicUsize::new(0));
    for round in 0..2_000_u64 {
        let cache = Cache::<u64, u64, _, _>::new(Fake::new());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let loads = Arc::clone(&loads);
                    let load = cache.get_or_load(&round, async move || {
                        loads.fetch_add(1, SeqCst);
                        Ok::<_, String>(round)
                    });
                    assert_eq!(futures::executor::block_on(load).unwrap(), round);
                });
            }
        });
    }
    assert_eq!(loads.load(SeqCst), 2_000);
}

#[tokio::test]
async fn the_life_of_a_value_is_counted_from_when_its_load_began() {
    let clock = MockClock::new();
    let users = Cache::new(Fake::<str, u32>::new()).ttl(Duration::from_secs(60)).clock(clock.clone());
    let loader: Loader<u32> = Loader::value(36).gated();
    let call = call(&users.clone().boxed(), &loader);
    loader.gate().reached(1).await;
    clock.advance(Duration::from_secs(10));
    loader.gate().open();
    call.await.unwrap().unwrap();

    let found = users.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.age(), found.ttl_left()), (Duration::from_secs(10), Some(Duration::from_secs(50))));
}

#[tokio::test]
async fn a_computed_value_reaches_its_caller_when_what_it_is_stored_with_panics() {
    let failing = Fake::<str, u32>::new();
    failing.fail(&[Operation::Write]);
    let observed = Cache::new(failing).observer(|_: &larder_core::Event<'_>| panic!("an exporter")).boxed();
    let events = Recorder::new();
    let computed =
        Cache::new(Fake::<str, u32>::new()).observer(events).ttl_with(|_, _| panic!("a ttl")).boxed();
    for cache in [observed, computed] {
        assert_eq!(cache.get_or_load("ada", async || Ok::<_, String>(36)).await.unwrap(), 36);
        assert_eq!(cache.stats().load_failures, 0);
    }
}

#[tokio::test]
async fn a_load_that_was_cut_off_is_counted_as_failed() {
    let users = users();
    let loader: Loader<u32> = Loader::value(1).gated();
    {
        let mut call = pin!(users.get_or_load_scoped("ada", loader.load()));
        assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
    }
    assert_eq!((users.stats().loads, users.stats().load_failures), (1, 1));
}

#[tokio::test]
async fn a_value_that_took_longer_to_load_than_it_lives_is_returned_and_not_stored() {
    let (clock, store) = (MockClock::new(), FakeBytes::new());
    let cache =
        Cache::<str, bytes::Bytes, _, _>::new(store.clone()).ttl(Duration::from_secs(1)).clock(clock.clone());
    let loader: Loader<bytes::Bytes> = Loader::value("late".into()).gated();
    let call = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await }
    });
    loader.gate().reached(1).await;
    clock.advance(Duration::from_secs(5));
    loader.gate().open();
    assert_eq!(call.await.unwrap().unwrap(), "late");
    assert_eq!(store.count(Operation::Write), 0);
}
