//! What calls ask for beside their keys: `users.with(|call| ..)`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, CallOptions, Freshness, LoadError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);

type Texts = Cache<str, Bytes>;
type Script = Loader<Bytes, &'static str>;
type Answer = Result<Bytes, LoadError<&'static str>>;

struct Two {
    front: Fake<str, Bytes>,
    back: FakeBytes,
    clock: MockClock,
    cache: Texts,
}

/// Fresh for 60 s, stale for 30 s, kept for 1,000 s.
fn two_levels() -> Two {
    let (front, back, clock) = (Fake::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front.clone()).chain(Cache::new(back.clone()));
    Two { cache: policy(cache.clock(clock.clone()).boxed()), front, back, clock }
}

fn policy(cache: Texts) -> Texts {
    cache.ttl(60 * SECOND).stale(30 * SECOND).stale_if_error(1_000 * SECOND)
}

/// One level of memory, one of bytes, and two levels.
fn in_all_forms() -> Vec<(Texts, MockClock)> {
    let (memory, bytes) = (MockClock::new(), MockClock::new());
    let two = two_levels();
    vec![
        (policy(Cache::new(Fake::new()).clock(memory.clone()).boxed()), memory),
        (policy(Cache::new(FakeBytes::new()).clock(bytes.clone()).boxed()), bytes),
        (two.cache, two.clock),
    ]
}

fn call(cache: &Texts, script: &Script) -> JoinHandle<Answer> {
    let (cache, load) = (cache.clone(), script.load());
    tokio::spawn(async move { cache.get_or_load("ada", load).await })
}

// force_refresh

#[tokio::test]
async fn a_forced_value_replaces_what_is_there_and_a_failure_leaves_it_and_is_an_error() {
    for (cache, _clock) in in_all_forms() {
        let forced = cache.with(CallOptions::force_refresh);
        cache.insert("ada", "old".into()).await.unwrap();
        let script = Script::failing("down").then_panicking("a bug").then_value("new".into());
        assert_eq!(forced.get_or_load("ada", script.load()).await.unwrap_err().as_load(), Some(&"down"));
        assert!(matches!(forced.get_or_load("ada", script.load()).await, Err(LoadError::Panicked(_))));
        assert_eq!((cache.get("ada").await.unwrap(), cache.stats().covered), (Some("old".into()), 0));
        assert_eq!(forced.get_or_load_scoped("ada", script.load()).await.unwrap(), "new");
        assert_eq!(cache.get("ada").await.unwrap(), Some("new".into()));
    }
}

#[tokio::test]
async fn while_a_forced_load_runs_others_are_served_what_is_there() {
    for (cache, _clock) in in_all_forms() {
        cache.insert("ada", "old".into()).await.unwrap();
        let script = Script::value("new".into()).gated();
        let forced = call(&cache.with(CallOptions::force_refresh), &script);
        script.gate().reached(1).await;
        assert_eq!(cache.get("ada").await.unwrap(), Some("old".into()));
        assert!(cache.contains("ada").await.unwrap());
        // In bytes alone a caller with a loader joins the load.
        let normal = call(&cache, &script);
        settle().await;
        script.gate().open();
        assert!(["old", "new"].contains(&str::from_utf8(&normal.await.unwrap().unwrap()).unwrap()));
        assert_eq!((forced.await.unwrap().unwrap(), script.loads()), ("new".into(), 1));
    }
}

#[tokio::test]
async fn a_forced_load_joins_no_older_one_which_is_overtaken() {
    for (cache, clock) in in_all_forms() {
        let events = Recorder::new();
        let cache = cache.observer(events.clone());
        let script = Script::value("older".into()).then_value("newer".into()).gated();
        let older = call(&cache, &script);
        script.gate().reached(1).await;
        clock.advance(SECOND);
        let forced = call(&cache.with(CallOptions::force_refresh), &script);
        script.gate().reached(2).await;
        script.gate().open();
        assert_eq!(
            (older.await.unwrap().unwrap(), forced.await.unwrap().unwrap()),
            ("older".into(), "newer".into())
        );
        assert_eq!(cache.get("ada").await.unwrap(), Some("newer".into()));
        assert_eq!((events.overtaken(), script.loads()), (1, 2));
    }
}

#[tokio::test]
async fn forced_loads_at_the_same_time_are_one() {
    for (cache, _clock) in in_all_forms() {
        cache.insert("ada", "old".into()).await.unwrap();
        let script = Script::value("new".into()).gated();
        let forced = cache.with(CallOptions::force_refresh);
        let callers: Vec<_> = (0..10).map(|_| call(&forced, &script)).collect();
        settle().await;
        script.gate().open();
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap(), "new");
        }
        assert_eq!(script.loads(), 1);
    }
}

#[tokio::test]
async fn a_remove_during_a_forced_load_wins() {
    for (cache, _clock) in in_all_forms() {
        cache.insert("ada", "old".into()).await.unwrap();
        let script = Script::value("new".into()).gated();
        let forced = call(&cache.with(CallOptions::force_refresh), &script);
        script.gate().reached(1).await;
        cache.remove("ada").await.unwrap();
        script.gate().open();
        assert_eq!(forced.await.unwrap().unwrap(), "new");
        assert_eq!(cache.get("ada").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_failed_forced_load_puts_off_the_reload_of_what_turns_stale() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(59 * SECOND);
    let failing = Script::failing("down");
    let forced = cache.with(CallOptions::force_refresh);
    assert!(forced.get_or_load("ada", failing.load()).await.is_err());
    clock.advance(2 * SECOND);
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "old");
    settle().await;
    assert_eq!(failing.loads(), 1);
}

#[tokio::test]
async fn reads_without_a_loader_do_not_force_anything() {
    for (cache, _clock) in in_all_forms() {
        cache.insert("ada", "old".into()).await.unwrap();
        let forced = cache.with(CallOptions::force_refresh);
        assert_eq!(forced.get("ada").await.unwrap(), Some("old".into()));
        assert!(forced.lookup("ada").await.unwrap().is_some());
    }
}

// max_age

#[tokio::test]
async fn what_is_older_than_a_call_wants_is_no_answer_and_stays_for_others() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", "old".into()).await.unwrap();
        clock.advance(10 * SECOND);
        let (young, old) =
            (cache.with(|call| call.max_age(9 * SECOND)), cache.with(|call| call.max_age(10 * SECOND)));
        assert_eq!(young.get("ada").await.unwrap(), None);
        assert_eq!(young.get_now("ada"), None);
        assert!(young.lookup("ada").await.unwrap().is_none());
        assert!(!young.contains("ada").await.unwrap());
        assert_eq!(old.get("ada").await.unwrap(), Some("old".into()));
        assert!(old.lookup("ada").await.unwrap().is_some());
        assert!(old.contains("ada").await.unwrap());
        assert!(young.get_or_load("ada", Script::failing("down").load()).await.is_err());
        assert_eq!(cache.get("ada").await.unwrap(), Some("old".into()));

        assert_eq!(young.get_or_load("ada", Script::value("new".into()).load()).await.unwrap(), "new");
        assert_eq!(cache.get("ada").await.unwrap(), Some("new".into()));
    }
}

#[tokio::test]
async fn what_is_too_old_is_no_answer_even_where_kept_entries_would_do() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", "old".into()).await.unwrap();
        for advance in [10, 90] {
            clock.advance(advance * SECOND);
            let young = cache.with(|call| call.max_age(9 * SECOND).allow_stale());
            assert_eq!(young.get("ada").await.unwrap(), None);
            assert_eq!(young.get_now("ada"), None);
            assert!(!young.contains("ada").await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_younger_entry_behind_is_found_and_copied() {
    let two = two_levels();
    two.cache.insert("ada", "old".into()).await.unwrap();
    two.clock.advance(10 * SECOND);
    let theirs = Cache::<str, Bytes, _, _>::new(two.back.clone()).ttl(60 * SECOND).clock(two.clock.clone());
    theirs.insert("ada", "newer".into()).await.unwrap();
    two.clock.advance(SECOND);
    let young = two.cache.with(|call| call.max_age(5 * SECOND));
    let failing = Script::failing("down");
    assert_eq!(young.get_or_load("ada", failing.load()).await.unwrap(), "newer");
    assert_eq!((failing.loads(), two.cache.get_now("ada")), (0, Some("newer".into())));
}

#[tokio::test]
async fn a_caller_that_joins_and_is_given_something_too_old_begins_again() {
    let two = two_levels();
    two.cache.insert("ada", "old".into()).await.unwrap();
    Cache::<str, Bytes, _, _>::new(two.front.clone()).remove("ada").await.unwrap();
    two.clock.advance(10 * SECOND);
    two.back.gate(Operation::Read).close();
    let script = Script::value("new".into());
    let normal = call(&two.cache, &script);
    two.back.gate(Operation::Read).reached(1).await;
    let young = call(&two.cache.with(|call| call.max_age(5 * SECOND)), &script);
    settle().await;
    two.back.gate(Operation::Read).open();
    assert_eq!((normal.await.unwrap().unwrap(), young.await.unwrap().unwrap()), ("old".into(), "new".into()));
}

// skip_read, skip_write. FusionCache 13, 86, 87.

#[tokio::test]
async fn a_level_that_is_not_read_answers_neither_reads_nor_loads() {
    let two = two_levels();
    two.cache.insert("ada", "front".into()).await.unwrap();
    let behind = two.cache.with(|call| call.skip_read(0).skip_write(0));
    behind.insert("ada", "back".into()).await.unwrap();

    assert_eq!(two.cache.get("ada").await.unwrap(), Some("front".into()));
    assert_eq!(behind.get("ada").await.unwrap(), Some("back".into()));
    assert_eq!(behind.get_now("ada"), None);
    assert_eq!(behind.lookup("ada").await.unwrap().unwrap().level(), 1);
    assert!(behind.contains("ada").await.unwrap());
    assert_eq!(behind.get_or_load("ada", Script::failing("not asked").load()).await.unwrap(), "back");
    assert_eq!(two.cache.get("ada").await.unwrap(), Some("front".into()), "and was not copied up");

    let neither = two.cache.with(|call| call.skip_read(0).skip_read(1));
    assert_eq!(neither.get("ada").await.unwrap(), None);
    assert!(!neither.contains("ada").await.unwrap());
    assert_eq!(neither.get_or_load("ada", Script::value("new".into()).load()).await.unwrap(), "new");
    assert_eq!(two.cache.get("ada").await.unwrap(), Some("new".into()));
    assert_eq!(behind.get("ada").await.unwrap(), Some("new".into()));
}

#[tokio::test]
async fn what_is_read_behind_is_copied_up_where_only_reading_is_skipped() {
    let two = two_levels();
    two.cache.insert("ada", "front".into()).await.unwrap();
    two.cache.with(|call| call.skip_write(0)).insert("ada", "back".into()).await.unwrap();
    assert_eq!(two.cache.with(|call| call.skip_read(0)).get("ada").await.unwrap(), Some("back".into()));
    assert_eq!(two.cache.get("ada").await.unwrap(), Some("back".into()));
}

#[tokio::test]
async fn a_level_that_is_not_written_keeps_what_it_has_through_loads_inserts_removes_and_clears() {
    let two = two_levels();
    for skipped in [0, 1] {
        let other = two.cache.with(|call| call.skip_read(skipped));
        let only = two.cache.with(|call| call.skip_read(1 - skipped));
        let handle = two.cache.with(|call| call.skip_write(skipped));
        for step in 0..4 {
            two.cache.insert("ada", "kept".into()).await.unwrap();
            let expected = match step {
                0 => handle.insert("ada", "new".into()).await.map(|()| Some("new".into())).unwrap(),
                1 => handle.remove("ada").await.map(|()| None).unwrap(),
                2 => handle.clear().await.map(|()| None).unwrap(),
                _ => {
                    let forced = handle.with(CallOptions::force_refresh);
                    Some(forced.get_or_load("ada", Script::value("loaded".into()).load()).await.unwrap())
                }
            };
            let reads = |cache: &Texts| cache.with(|call| call.skip_write(0).skip_write(1));
            assert_eq!(reads(&only).get("ada").await.unwrap(), Some("kept".into()), "step {step}");
            assert_eq!(reads(&other).get("ada").await.unwrap(), expected, "step {step}");
        }
    }
}

#[tokio::test]
async fn a_level_that_is_left_out_is_neither_read_nor_written() {
    let two = two_levels();
    let memory = two.cache.with(|call| call.skip_level(1));
    memory.insert("ada", "front".into()).await.unwrap();
    memory.get("bob").await.unwrap();
    memory.get_or_load("bob", Script::value("!".into()).load()).await.unwrap();
    memory.remove("bob").await.unwrap();
    memory.expire("ada").await.unwrap();
    assert_eq!(two.back.calls(), []);
    assert!(two.front.count(Operation::Write) >= 2);
}

#[test]
#[should_panic(expected = "no cache has a level 64")]
fn a_level_that_cannot_be_panics() {
    let _ = CallOptions::default().skip_read(64);
}

// allow_stale. FusionCache 32, 33.

#[tokio::test]
async fn what_is_kept_for_failures_is_read_where_that_is_allowed_and_not_stored_again() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", "kept".into()).await.unwrap();
        clock.advance(90 * SECOND);
        let writes = cache.stats().levels[0].writes;
        let allowed = cache.with(CallOptions::allow_stale);
        assert_eq!(cache.get("ada").await.unwrap(), None);
        assert!(!cache.contains("ada").await.unwrap());
        for _ in 0..2 {
            assert_eq!(allowed.get("ada").await.unwrap(), Some("kept".into()));
            assert!(allowed.contains("ada").await.unwrap());
            let found = allowed.lookup("ada").await.unwrap().unwrap();
            assert_eq!((found.freshness(), found.ttl_left()), (Freshness::Kept, Some(Duration::ZERO)));
        }
        assert_eq!(cache.stats().levels[0].writes, writes);
        assert_eq!((cache.stats().hits(), cache.stats().misses()), (0, 5));
        clock.advance(1_000 * SECOND);
        assert_eq!(allowed.get("ada").await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_memory_keeps_is_at_hand_without_waiting_where_that_is_allowed() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert("ada", "kept".into()).await.unwrap();
    clock.advance(90 * SECOND);
    assert_eq!(cache.get_now("ada"), None);
    assert_eq!(cache.with(CallOptions::allow_stale).get_now("ada"), Some("kept".into()));
}

#[tokio::test]
async fn a_fresh_entry_behind_goes_before_what_is_kept_in_front_and_that_before_what_is_kept_behind() {
    let two = two_levels();
    let (front, back) =
        (two.cache.with(|call| call.skip_write(1)), two.cache.with(|call| call.skip_write(0)));
    let allowed = two.cache.with(CallOptions::allow_stale);
    back.insert("ada", "behind".into()).await.unwrap();
    front.insert("ada", "in front".into()).await.unwrap();
    two.clock.advance(90 * SECOND);
    let found = allowed.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.level(), &found.value()[..]), (0, &b"in front"[..]));
    assert_eq!(allowed.with(|call| call.skip_read(0)).get("ada").await.unwrap(), Some("behind".into()));

    back.insert("ada", "fresh".into()).await.unwrap();
    assert_eq!(allowed.get("ada").await.unwrap(), Some("fresh".into()));
}

#[tokio::test]
async fn a_call_with_a_loader_loads_all_the_same() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert("ada", "kept".into()).await.unwrap();
    clock.advance(90 * SECOND);
    let allowed = cache.with(CallOptions::allow_stale);
    assert_eq!(allowed.get_or_load("ada", Script::value("new".into()).load()).await.unwrap(), "new");
}

// max_wait

#[tokio::test]
async fn a_caller_that_waits_no_longer_loads_for_itself_and_its_value_stays() {
    for (cache, clock) in in_all_forms() {
        let (slow, quick) = (Script::value("slow".into()).gated(), Script::value("quick".into()));
        let leader = call(&cache, &slow);
        slow.gate().reached(1).await;
        clock.advance(SECOND);
        let hurried = call(&cache.with(|call| call.max_wait(5 * SECOND)), &quick);
        settle().await;
        clock.run(5 * SECOND - Duration::from_millis(1)).await;
        assert_eq!((hurried.is_finished(), quick.loads()), (false, 0));
        clock.run(Duration::from_millis(1)).await;
        assert_eq!(hurried.await.unwrap().unwrap(), "quick");
        assert_eq!(cache.get("ada").await.unwrap(), Some("quick".into()));

        slow.gate().open();
        assert_eq!(leader.await.unwrap().unwrap(), "slow");
        assert_eq!(cache.get("ada").await.unwrap(), Some("quick".into()), "its load began later");
        assert_eq!(cache.stats().overtaken, 1);
    }
}

#[tokio::test]
async fn a_value_loaded_alone_is_not_stored_if_it_was_overtaken() {
    for (cache, clock) in in_all_forms() {
        let (slow, alone) = (Script::value("slow".into()).gated(), Script::value("alone".into()).gated());
        let leader = call(&cache, &slow);
        slow.gate().reached(1).await;
        let hurried = call(&cache.with(|call| call.max_wait(Duration::ZERO)), &alone);
        alone.gate().reached(1).await;
        cache.remove("ada").await.unwrap();
        alone.gate().open();
        slow.gate().open();
        assert_eq!(
            (hurried.await.unwrap().unwrap(), leader.await.unwrap().unwrap()),
            ("alone".into(), "slow".into())
        );
        assert_eq!(cache.get("ada").await.unwrap(), None);
        drop(clock);
    }
}

#[tokio::test]
async fn a_caller_that_waits_no_longer_is_served_what_is_kept() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", "kept".into()).await.unwrap();
        clock.advance(90 * SECOND);
        let slow = Script::value("slow".into()).gated();
        let leader = call(&cache, &slow);
        slow.gate().reached(1).await;
        let hurried = call(&cache.with(|call| call.max_wait(5 * SECOND)), &Script::failing("not asked"));
        settle().await;
        clock.run(5 * SECOND).await;
        assert_eq!(hurried.await.unwrap().unwrap(), "kept");
        slow.gate().open();
        assert_eq!(leader.await.unwrap().unwrap(), "slow");
    }
}

#[tokio::test]
async fn a_caller_that_waits_no_longer_and_wants_it_young_loads_for_itself() {
    for (cache, clock) in in_all_forms() {
        cache.insert("ada", "kept".into()).await.unwrap();
        clock.advance(90 * SECOND);
        let slow = Script::value("slow".into()).gated();
        let leader = call(&cache, &slow);
        slow.gate().reached(1).await;
        let young = cache.with(|call| call.max_wait(SECOND).max_age(10 * SECOND));
        let hurried = call(&young, &Script::value("own".into()));
        settle().await;
        clock.run(SECOND).await;
        assert!(hurried.is_finished());
        assert_eq!(hurried.await.unwrap().unwrap(), "own");
        slow.gate().open();
        leader.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_load_that_ends_in_time_is_waited_for() {
    for (cache, clock) in in_all_forms() {
        let slow = Script::value("slow".into()).gated();
        let leader = call(&cache, &slow);
        slow.gate().reached(1).await;
        let own = Script::failing("not asked");
        let hurried = call(&cache.with(|call| call.max_wait(5 * SECOND)), &own);
        settle().await;
        clock.run(4 * SECOND).await;
        slow.gate().open();
        assert_eq!(
            (hurried.await.unwrap().unwrap(), leader.await.unwrap().unwrap()),
            ("slow".into(), "slow".into())
        );
        assert_eq!((own.loads(), clock.timers()), (0, 0));
    }
}

// Who joins a reload after the window of what that was to replace.

#[tokio::test]
async fn who_joins_a_reload_that_fails_is_served_what_is_kept_by_then() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(60 * SECOND);
    let failing = Script::failing("down").gated();
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), "old", "stale: reloaded behind");
    failing.gate().reached(1).await;
    clock.advance(30 * SECOND);
    let late = call(&cache, &failing);
    settle().await;
    failing.gate().open();
    assert_eq!(late.await.unwrap().unwrap(), "old");
    assert_eq!(failing.loads(), 1);
}

#[tokio::test]
async fn who_joins_a_reload_and_waits_no_longer_is_served_what_is_kept_by_then() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(60 * SECOND);
    let slow = Script::value("new".into()).gated();
    cache.get_or_load("ada", slow.load()).await.unwrap();
    slow.gate().reached(1).await;
    clock.advance(30 * SECOND);
    let hurried = call(&cache.with(|call| call.max_wait(SECOND)), &slow);
    settle().await;
    clock.run(SECOND).await;
    assert_eq!((hurried.await.unwrap().unwrap(), slow.loads()), ("old".into(), 1));
}

// Handles

#[tokio::test]
async fn what_is_said_of_entries_counts_for_inserts_and_loads_and_for_this_handle() {
    for (cache, _clock) in in_all_forms() {
        let brief = cache.with(|call| call.ttl(5 * SECOND)).with(|call| call.stale(SECOND).tag("brief"));
        brief.insert("ada", "!".into()).await.unwrap();
        brief.get_or_load("bob", Script::value("!".into()).load()).await.unwrap();
        brief.insert_with("eve", "!".into(), |entry| entry.tag("own").stale_if_error(SECOND)).await.unwrap();
        for key in ["ada", "bob", "eve"] {
            let found = cache.lookup(key).await.unwrap().unwrap();
            let window = found.entry().stale_until().since(found.entry().fresh_until());
            assert_eq!((found.ttl_left(), window), (Some(5 * SECOND), SECOND), "{key}");
            assert!(found.tags().iter().any(|tag| &**tag == "brief"));
        }
        assert_eq!(cache.lookup("eve").await.unwrap().unwrap().tags().len(), 2);
        cache.insert("ada", "!".into()).await.unwrap();
        assert_eq!(cache.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(60 * SECOND));
    }
}

#[tokio::test]
async fn what_was_said_stays_said_through_combinators() {
    let clock = MockClock::new();
    let cache = Cache::<str, Bytes, _, _>::new(FakeBytes::new()).with(|call| call.ttl(5 * SECOND));
    let cache = cache.namespace("texts").max_value_bytes(1_000).codec(larder_core::Raw).clock(clock.clone());
    let chained = cache.chain(Cache::new(FakeBytes::new())).ttl(60 * SECOND).name("texts").boxed();
    chained.insert("ada", "!".into()).await.unwrap();
    assert_eq!(chained.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(5 * SECOND));
}

#[test]
#[should_panic(expected = "say it after `.chain`")]
fn what_calls_ask_for_is_refused_on_the_right_side_of_the_wall() {
    let back = Cache::new(Fake::<str, u32>::new()).with(CallOptions::force_refresh);
    drop(Cache::new(Fake::<str, u32>::new()).chain(back));
}

// FusionCache 121.
#[tokio::test]
async fn each_answer_is_counted_once() {
    let (cache, clock) = in_all_forms().remove(0);
    let counts = || {
        let stats = cache.stats();
        let level = &stats.levels[0];
        (level.fresh_hits, level.stale_hits, level.misses, stats.joins, stats.covered)
    };
    cache.get("ada").await.unwrap();
    assert_eq!(counts(), (0, 0, 1, 0, 0));
    cache.get_or_load("ada", Script::value("!".into()).load()).await.unwrap();
    assert_eq!(counts(), (0, 0, 2, 0, 0));
    cache.with(|call| call.max_age(SECOND)).get("ada").await.unwrap();
    assert_eq!(counts(), (1, 0, 2, 0, 0));
    clock.advance(60 * SECOND);
    cache.get("ada").await.unwrap();
    assert_eq!(counts(), (1, 1, 2, 0, 0));
    cache.with(|call| call.max_age(SECOND)).get("ada").await.unwrap();
    assert_eq!(counts(), (1, 1, 3, 0, 0));
    clock.advance(30 * SECOND);
    for covered in 1..=2 {
        cache.get_or_load("ada", Script::failing("down").load()).await.unwrap();
        assert_eq!(counts(), (1, 1, 3 + covered, 0, 1), "the second is not tried");
    }
}
