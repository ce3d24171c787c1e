//! `max_age`: a call that wants what was loaded lately.

use super::*;

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

#[tokio::test]
async fn what_is_too_old_in_a_first_level_of_bytes_does_not_hide_what_is_younger_behind() {
    let (clock, front, back) = (MockClock::new(), FakeBytes::new(), FakeBytes::new());
    let level = |store: &FakeBytes| Cache::new(store.clone());
    let users: Texts = level(&front).chain(level(&back)).clock(clock.clone()).boxed();
    users.insert("ada", "old".into()).await.unwrap();
    clock.advance(100 * SECOND);
    let behind: Texts = level(&back).clock(clock.clone()).boxed();
    behind.insert("ada", "young".into()).await.unwrap();

    assert_eq!(users.get("ada").await.unwrap(), Some("old".into()));
    assert_eq!(users.with(|call| call.max_age(50 * SECOND)).get("ada").await.unwrap(), Some("young".into()));
}
