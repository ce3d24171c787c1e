//! Invalidation by tags, within one process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::Json;
use larder_core::{Cache, CallOptions, Coherence, Event, Freshness, LoadContext, load};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::oneshot;

const SECOND: Duration = Duration::from_secs(1);

type Users = Cache<str, u32>;

fn one_level(clock: &MockClock) -> Users {
    Cache::new(Fake::new()).ttl(60 * SECOND).clock(clock.clone()).boxed()
}

fn bytes_only(clock: &MockClock) -> Users {
    Cache::new(FakeBytes::new()).codec(Json).ttl(60 * SECOND).clock(clock.clone()).boxed()
}

fn two_levels(clock: &MockClock) -> Users {
    Cache::new(Fake::<str, u32>::new())
        .chain(Cache::new(FakeBytes::new()).codec(Json))
        .ttl(60 * SECOND)
        .stale_if_error(600 * SECOND)
        .clock(clock.clone())
        .boxed()
}

const FORMS: [fn(&MockClock) -> Users; 3] = [one_level, bytes_only, two_levels];

async fn insert(users: &Users, key: &str, value: u32, tags: &[&str]) {
    let options = |entry| tags.iter().fold(entry, |entry: larder_core::InsertOptions, tag| entry.tag(tag));
    users.insert_with(key, value, options).await.unwrap();
}

// D4.
#[tokio::test]
async fn a_tag_takes_all_that_has_it_and_nothing_else_from_every_level() {
    for make in FORMS {
        let users = make(&MockClock::new());
        insert(&users, "ada", 36, &["team:7", "people"]).await;
        insert(&users, "bob", 40, &["team:8", "people"]).await;
        insert(&users, "cat", 3, &[]).await;

        users.invalidate_tag("team:7").await.unwrap();
        assert_eq!(users.get("ada").await.unwrap(), None);
        assert_eq!(users.lookup("ada").await.unwrap().map(|found| *found.value()), None);
        assert!(!users.contains("ada").await.unwrap());
        assert_eq!(users.get_now("ada"), None);
        assert_eq!(users.get("bob").await.unwrap(), Some(40));

        users.invalidate_tags(["none", "people"]).await.unwrap();
        assert_eq!((users.get("bob").await.unwrap(), users.get("cat").await.unwrap()), (None, Some(3)));
    }
}

#[tokio::test]
async fn what_comes_after_an_invalidation_has_the_tag_anew() {
    for make in FORMS {
        let users = make(&MockClock::new());
        for value in 1..4 {
            insert(&users, "ada", value, &["people"]).await;
            assert_eq!(users.get("ada").await.unwrap(), Some(value));
            users.invalidate_tag("people").await.unwrap();
            assert_eq!(users.get("ada").await.unwrap(), None);
        }
        let loaded = users.get_or_load("ada", async || {
            load::tag("people");
            Ok::<_, ()>(7)
        });
        assert_eq!(loaded.await.unwrap(), 7);
        assert_eq!(users.get("ada").await.unwrap(), Some(7));
        users.invalidate_tag("people").await.unwrap();
        assert_eq!(users.get("ada").await.unwrap(), None);
    }
}

// D3, D-d2: the tags of one call say nothing about another.
#[tokio::test]
async fn the_cache_the_call_the_load_and_the_insertion_give_tags() {
    let users =
        one_level(&MockClock::new()).tags(|key, value| [format!("user:{key}"), format!("age:{value}")]);
    let load = async |cx: LoadContext<str, u32>| {
        cx.tag("loaded");
        Ok::<_, ()>(36)
    };
    users.with(|call| call.tag("called")).get_or_load_with("ada", load).await.unwrap();
    users.insert_with("bob", 40, |entry| entry.tag("inserted")).await.unwrap();

    let tags = async |key| {
        let mut tags = users.lookup(key).await.unwrap().unwrap().tags().to_vec();
        tags.sort();
        tags.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(tags("ada").await, ["age:36", "called", "loaded", "user:ada"]);
    assert_eq!(tags("bob").await, ["age:40", "inserted", "user:bob"]);
}

// FusionCache: RemoveByTag and ExpireByTag.
#[tokio::test]
async fn what_is_expired_by_a_tag_is_kept_for_loads_that_fail() {
    let clock = MockClock::new();
    let users = two_levels(&clock);
    insert(&users, "ada", 36, &["people"]).await;
    insert(&users, "bob", 40, &["people"]).await;
    users.expire_tags(["people"]).await.unwrap();

    assert_eq!(users.get("ada").await.unwrap(), None);
    let kept = users.with(CallOptions::allow_stale).lookup("ada").await.unwrap().unwrap();
    assert_eq!((*kept.value(), kept.freshness()), (36, Freshness::Kept));
    let failing: Loader<u32, &str> = Loader::failing("down");
    assert_eq!(users.get_or_load("ada", failing.load()).await.unwrap(), 36);
    assert_eq!(users.get_or_load("bob", async || Ok::<_, ()>(41)).await.unwrap(), 41);

    users.invalidate_tag("people").await.unwrap();
    users.expire_tag("people").await.unwrap();
    assert_eq!(users.with(CallOptions::allow_stale).get("ada").await.unwrap(), None, "it was removed before");
}

#[tokio::test]
async fn what_was_expired_by_a_tag_is_kept_from_that_moment_on_and_not_from_each_read() {
    let clock = MockClock::new();
    let users = Cache::new(Fake::<str, u32>::new()).stale_if_error(10 * SECOND).clock(clock.clone()).boxed();
    insert(&users, "ada", 36, &["people"]).await;
    users.expire_tag("people").await.unwrap();
    let kept = users.with(CallOptions::allow_stale);
    for _ in 0..3 {
        clock.advance(3 * SECOND);
        assert_eq!(kept.get("ada").await.unwrap(), Some(36));
    }
    clock.advance(SECOND);
    assert_eq!(kept.get("ada").await.unwrap(), None);
}

// D-d9.
#[tokio::test]
async fn a_load_that_an_invalidation_overtook_is_not_stored_even_if_it_names_the_tag_last() {
    for make in FORMS {
        let (recorder, clock) = (Recorder::new(), MockClock::new());
        let users = make(&clock).observer(recorder.clone());
        let (go, wait) = oneshot::channel::<()>();
        let load = async move || {
            wait.await.unwrap();
            load::depends_on("people");
            Ok::<_, ()>(36)
        };
        let other = users.clone();
        let early = tokio::spawn(async move { other.get_or_load("ada", load).await });
        settle().await;
        users.invalidate_tag("people").await.unwrap();
        go.send(()).unwrap();

        assert_eq!(early.await.unwrap().unwrap(), 36, "who waited for it gets it");
        assert_eq!(users.get("ada").await.unwrap(), None);
        assert_eq!(users.stats().overtaken, 1);
        assert_eq!(recorder.overtaken(), 1);
    }
}

// coherence.md, rule 6.
#[tokio::test]
async fn who_comes_after_the_invalidation_does_not_get_the_value_of_a_load_from_before() {
    let users = one_level(&MockClock::new());
    let (go, wait) = oneshot::channel::<()>();
    let slow = async move || {
        wait.await.unwrap();
        load::tag("people");
        Ok::<_, ()>(36)
    };
    let other = users.clone();
    let early = tokio::spawn(async move { other.get_or_load("ada", slow).await });
    settle().await;
    users.invalidate_tag("people").await.unwrap();
    let other = users.clone();
    let late = tokio::spawn(async move { other.get_or_load("ada", async || Ok::<_, ()>(37)).await });
    settle().await;
    go.send(()).unwrap();
    assert_eq!((early.await.unwrap().unwrap(), late.await.unwrap().unwrap()), (36, 37));
}

#[tokio::test]
async fn an_invalidation_of_another_tag_makes_nobody_load_twice() {
    let users = one_level(&MockClock::new());
    let (go, wait) = oneshot::channel::<()>();
    let slow = async move || {
        wait.await.unwrap();
        load::tag("people");
        Ok::<_, ()>(36)
    };
    let other = users.clone();
    let early = tokio::spawn(async move { other.get_or_load("ada", slow).await });
    settle().await;
    users.invalidate_tag("animals").await.unwrap();
    let other = users.clone();
    let late = tokio::spawn(async move { other.get_or_load("ada", async || Err::<u32, _>(())).await });
    settle().await;
    go.send(()).unwrap();
    assert_eq!((early.await.unwrap().unwrap(), late.await.unwrap().unwrap()), (36, 36));
}

// FusionCache #638: an old value that a tag removed is not brought back by an answer that nothing was modified.
#[tokio::test]
async fn a_load_that_finds_nothing_modified_does_not_bring_back_what_is_removed_meanwhile() {
    let clock = MockClock::new();
    let users = two_levels(&clock);
    insert(&users, "ada", 36, &["people"]).await;
    let (go, wait) = oneshot::channel::<()>();
    let load = async move |cx: LoadContext<str, u32>| {
        wait.await.unwrap();
        Ok::<_, ()>(cx.not_modified().unwrap())
    };
    clock.advance(61 * SECOND);
    let other = users.clone();
    let reload = tokio::spawn(async move { other.get_or_load_with("ada", load).await });
    settle().await;
    users.invalidate_tag("people").await.unwrap();
    go.send(()).unwrap();
    reload.await.unwrap().unwrap();
    assert_eq!(users.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_copy_that_was_read_before_the_invalidation_is_none_afterwards() {
    let clock = MockClock::new();
    let (front, back) = (Fake::<str, u32>::new(), FakeBytes::new());
    let gate = back.clone();
    let gate = gate.gate(larder_core::Operation::Read);
    let users =
        Cache::new(front).chain(Cache::new(back).codec(Json)).ttl(60 * SECOND).clock(clock.clone()).boxed();
    gate.open();
    users.with(|call| call.skip_write(0)).insert_with("ada", 36, |entry| entry.tag("people")).await.unwrap();
    gate.close();
    let other = users.clone();
    let read = tokio::spawn(async move { other.get("ada").await });
    settle().await;
    users.invalidate_tag("people").await.unwrap();
    gate.open();
    let _ = read.await.unwrap();
    assert_eq!(users.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn groups_do_not_reach_each_other_and_mock_clocks_have_groups_of_their_own() {
    let group = Coherence::new();
    let (one, two) = (one_level(&MockClock::new()), one_level(&MockClock::new()));
    let clock = MockClock::new();
    let chosen = Cache::new(Fake::<str, u32>::new()).clock(clock.clone()).coherence(&group);
    for users in [&one, &two, &chosen.clone().boxed()] {
        insert(users, "ada", 36, &["people"]).await;
    }
    one.invalidate_tag("people").await.unwrap();
    let left = async |users: &Users| users.get("ada").await.unwrap();
    assert_eq!(
        (left(&one).await, left(&two).await, chosen.get("ada").await.unwrap()),
        (None, Some(36), Some(36))
    );
    group.invalidate_tag("people").await.unwrap();
    assert_eq!((chosen.get("ada").await.unwrap(), left(&two).await), (None, Some(36)));
}

/// One store, two caches of different groups: each judges by its own.
#[tokio::test]
async fn a_store_that_two_groups_share_is_judged_by_each_for_itself() {
    let store = Arc::new(Fake::<str, u32>::new());
    let (one, two) = (
        Cache::new(Arc::clone(&store)).coherence(&Coherence::new()),
        Cache::new(store).coherence(&Coherence::new()),
    );
    one.insert_with("ada", 36, |entry| entry.tag("people")).await.unwrap();
    two.invalidate_tag("people").await.unwrap();
    assert_eq!((one.get("ada").await.unwrap(), two.get("ada").await.unwrap()), (Some(36), None));
    two.insert_with("ada", 37, |entry| entry.tag("people")).await.unwrap();
    assert_eq!((one.get("ada").await.unwrap(), two.get("ada").await.unwrap()), (Some(37), Some(37)));
}

// D-d6, D-d7, D-d8: there are no sets of members that could end, grow or come apart from their entries.
#[tokio::test]
async fn an_entry_without_end_can_be_invalidated_whatever_becomes_of_others_with_the_tag() {
    let clock = MockClock::new();
    let users = Cache::new(FakeBytes::new()).codec(Json).clock(clock.clone()).boxed();
    insert(&users, "for ever", 1, &["people"]).await;
    users.insert_with("short", 2, |entry| entry.tag("people").ttl(SECOND)).await.unwrap();
    for _ in 0..2_000 {
        insert(&users, "other", 3, &["people"]).await;
        users.remove("other").await.unwrap();
    }
    clock.advance(3600 * SECOND);
    users.invalidate_tag("people").await.unwrap();
    assert_eq!(users.get("for ever").await.unwrap(), None);
}

// D-d8.
#[tokio::test]
async fn an_entry_and_its_tags_are_written_in_one_call_and_a_tag_is_invalidated_without_any() {
    let store = FakeBytes::new();
    let users = Cache::new(store.clone()).codec(Json).clock(MockClock::new()).boxed();
    insert(&users, "ada", 36, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]).await;
    assert_eq!(store.calls().len(), 1);
    users.invalidate_tag("j").await.unwrap();
    assert_eq!(store.calls().len(), 1);
    assert_eq!(users.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_panic_in_the_tags_of_a_value_stores_nothing_and_the_value_reaches_its_callers() {
    let panics = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&panics);
    let count = move |event: &Event<'_>| {
        counted.fetch_add(usize::from(matches!(event, Event::StoringPanicked { .. })), Relaxed);
    };
    let users = one_level(&MockClock::new()).observer(count).tags(|_, _| -> [&str; 1] { panic!("no tags") });
    assert_eq!(users.get_or_load("ada", async || Ok::<_, ()>(36)).await.unwrap(), 36);
    assert_eq!(panics.load(Relaxed), 1);
    assert_eq!(users.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn the_tags_of_an_absent_value_invalidate_it() {
    let users: Cache<str, Option<u32>> =
        Cache::new(Fake::new()).negative(60 * SECOND).clock(MockClock::new()).boxed();
    let load = async || {
        load::depends_on("ada");
        Ok::<_, ()>(None)
    };
    assert_eq!(users.get_or_load("ada", load).await.unwrap(), None);
    assert_eq!(users.get("ada").await.unwrap(), Some(None));
    users.invalidate_tag("ada").await.unwrap();
    assert_eq!(users.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn no_tags_and_an_empty_tag_are_no_trouble() {
    let users = one_level(&MockClock::new());
    insert(&users, "ada", 36, &[""]).await;
    users.invalidate_tags(Vec::<String>::new()).await.unwrap();
    assert_eq!(users.get("ada").await.unwrap(), Some(36));
    users.invalidate_tag("").await.unwrap();
    assert_eq!(users.get("ada").await.unwrap(), None);
}
