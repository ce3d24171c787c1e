//! `max_wait`: callers that wait for another's load no longer than that.

use super::*;

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

#[tokio::test]
async fn what_is_kept_and_was_expired_meanwhile_is_not_waited_for_again() {
    let (cache, clock) = in_all_forms().remove(0);
    cache.insert_with("ada", "kept".into(), |entry| entry.tag("users")).await.unwrap();
    clock.advance(90 * SECOND);
    let slow = Script::value("slow".into()).gated();
    let leader = call(&cache, &slow);
    slow.gate().reached(1).await;
    cache.expire_tag("users").await.unwrap();
    let hurried = call(&cache.with(|call| call.max_wait(5 * SECOND)), &Script::value("own".into()));
    settle().await;
    clock.run(5 * SECOND).await;
    assert!(hurried.is_finished());
    assert_eq!(hurried.await.unwrap().unwrap(), "own");
    slow.gate().open();
    assert_eq!(leader.await.unwrap().unwrap(), "slow");
}
