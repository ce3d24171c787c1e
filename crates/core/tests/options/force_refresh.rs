//! `force_refresh`: a call that wants what is loaded now.

use super::*;
use larder_core::Store;

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

#[tokio::test]
async fn while_a_forced_load_runs_others_are_served_what_a_lower_level_has() {
    let Two { front, cache, .. } = two_levels();
    cache.insert("ada", "old".into()).await.unwrap();
    front.remove("ada").await.unwrap();

    let script = Script::failing("down").gated();
    let forced = call(&cache.with(CallOptions::force_refresh), &script);
    script.gate().reached(1).await;
    let other = cache.get_or_load("ada", async || Err("not asked")).await;
    assert_eq!(other.unwrap(), "old");
    script.gate().open();
    assert!(forced.await.unwrap().is_err());
}
