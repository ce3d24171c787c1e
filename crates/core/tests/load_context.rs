//! What a load is told, and says about its own result.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::Json;
use larder_core::{Cache, CallOptions, LoadContext, load};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

type Users = Cache<str, u32>;
type Cx = LoadContext<str, u32>;

fn memory(clock: &MockClock) -> Users {
    Cache::new(Fake::new()).ttl(60 * SECOND).stale_if_error(600 * SECOND).clock(clock.clone()).boxed()
}

fn two_levels(clock: &MockClock) -> Users {
    Cache::new(Fake::<str, u32>::new())
        .chain(Cache::new(FakeBytes::new()).codec(Json))
        .ttl(60 * SECOND)
        .stale_if_error(600 * SECOND)
        .clock(clock.clone())
        .boxed()
}

fn tags(tags: &[&str]) -> Vec<Arc<str>> {
    tags.iter().map(|tag| (*tag).into()).collect()
}

// FusionCache 14.
#[tokio::test]
async fn a_load_sees_its_key_by_context_and_without() {
    let users = memory(&MockClock::new());
    let seen = users
        .get_or_load_with("ada", async |cx: Cx| {
            assert_eq!(cx.key(), "ada");
            assert!(load::is_running());
            assert_eq!(load::key::<u64>(), None, "keys of another type are not its");
            Ok::<_, &str>(u32::try_from(load::key::<str>().unwrap().len()).unwrap())
        })
        .await;
    assert_eq!(seen.unwrap(), 3);
    assert_eq!((load::is_running(), load::key::<str>()), (false, None));
}

// FusionCache 55.
#[tokio::test]
async fn a_load_sets_the_life_of_its_result() {
    let clock = MockClock::new();
    let users = memory(&clock);
    users
        .get_or_load_with("ada", async |cx: Cx| {
            cx.ttl(5 * SECOND);
            cx.stale(2 * SECOND);
            cx.stale_if_error(SECOND);
            cx.tag("team:7");
            cx.tag("team:7");
            cx.tag("all");
            Ok::<_, &str>(36)
        })
        .await
        .unwrap();

    let found = users.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.ttl_left(), found.tags().to_vec()), (Some(5 * SECOND), tags(&["team:7", "all"])));
    let entry = found.entry();
    assert_eq!(entry.stale_until().since(entry.fresh_until()), 2 * SECOND);
    assert_eq!(entry.dead_at().since(entry.stale_until()), SECOND);
}

// FusionCache 57.
#[tokio::test]
async fn what_a_load_says_counts_for_its_own_result_only() {
    let clock = MockClock::new();
    let users = memory(&clock);
    let short = async |cx: Cx| {
        cx.ttl(SECOND);
        Ok::<_, &str>(36)
    };
    users.get_or_load_with("ada", short).await.unwrap();
    users.get_or_load("bob", async || Ok::<_, &str>(37)).await.unwrap();
    clock.advance(SECOND);
    users.get_or_load("ada", async || Ok::<_, &str>(38)).await.unwrap();
    for name in ["ada", "bob"] {
        let left = users.lookup(name).await.unwrap().unwrap().ttl_left().unwrap();
        assert!(left > 58 * SECOND, "{name} has {left:?}");
    }
}

// FusionCache 56.
#[tokio::test]
async fn what_a_late_load_says_counts_when_it_ends_in_the_background() {
    let clock = MockClock::new();
    let users = memory(&clock).hard_timeout(SECOND);
    let gate = larder_testkit::Gate::new();
    gate.close();
    let caller = tokio::spawn({
        let (users, gate) = (users.clone(), gate.clone());
        async move {
            let load = async move |cx: Cx| {
                gate.pass().await;
                cx.ttl(7 * SECOND);
                Ok::<_, &str>(36)
            };
            users.get_or_load_with("ada", load).await
        }
    });
    gate.reached(1).await;
    clock.run(SECOND).await;
    assert!(caller.await.unwrap().is_err());
    gate.open();
    settle().await;
    assert_eq!(users.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(6 * SECOND));
}

// FusionCache 58.
#[tokio::test]
async fn a_load_may_keep_its_result_out_of_the_levels() {
    let clock = MockClock::new();
    for users in [memory(&clock), two_levels(&clock)] {
        let secret = async |cx: Cx| {
            cx.no_store();
            Ok::<_, &str>(36)
        };
        assert_eq!(users.get_or_load_with("ada", secret).await.unwrap(), 36);
        assert!(!users.contains("ada").await.unwrap());
    }
}

#[tokio::test]
async fn a_ttl_of_zero_stores_nothing_and_removes_what_was_there() {
    let clock = MockClock::new();
    let users = memory(&clock);
    users.insert("ada", 35).await.unwrap();
    let load = async |cx: Cx| {
        cx.ttl(Duration::ZERO);
        Ok::<_, &str>(36)
    };
    assert_eq!(users.with(CallOptions::force_refresh).get_or_load_with("ada", load).await.unwrap(), 36);
    assert!(!users.contains("ada").await.unwrap());
}

// FusionCache 31, 59.
#[tokio::test]
async fn a_load_that_fails_may_refuse_that_something_old_is_served() {
    let clock = MockClock::new();
    let users = memory(&clock);
    users.insert("ada", 36).await.unwrap();
    clock.advance(60 * SECOND);

    let gone = async |cx: Cx| {
        cx.no_fallback();
        Err::<u32, _>("the user was deleted")
    };
    assert!(users.get_or_load_with("ada", gone).await.is_err());
    let down = async |_: Cx| Err::<u32, _>("down");
    assert_eq!(users.get_or_load_with("ada", down).await.unwrap(), 36, "the refusal was for that one load");
}

// FusionCache 59.
#[tokio::test]
async fn a_load_that_fails_may_say_when_the_next_one_is_tried() {
    let clock = MockClock::new();
    let users = memory(&clock);
    users.insert("ada", 36).await.unwrap();
    clock.advance(60 * SECOND);
    let busy = async |cx: Cx| {
        cx.retry_after(5 * SECOND);
        Err::<u32, _>("come back in five seconds")
    };
    assert_eq!(users.get_or_load_with("ada", busy).await.unwrap(), 36);
    let loader = Loader::<u32, &str>::value(37);
    clock.advance(5 * SECOND - Duration::from_nanos(1));
    assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 37);
}

// FusionCache 60, 61.
#[tokio::test]
async fn a_value_that_was_not_modified_lives_again_with_its_tags_and_its_validator() {
    let clock = MockClock::new();
    let changed = UNIX_EPOCH + 1_000 * SECOND;
    for users in [memory(&clock), two_levels(&clock)] {
        let first = async |cx: Cx| {
            assert!(cx.previous().is_none());
            assert!(cx.not_modified().is_none());
            cx.etag("v1");
            cx.last_modified(UNIX_EPOCH + 1_000 * SECOND);
            cx.tag("team:7");
            Ok::<_, &str>(36)
        };
        users.get_or_load_with("ada", first).await.unwrap();
        for _ in 0..3 {
            clock.advance(60 * SECOND);
            let again = async move |cx: Cx| {
                let previous = cx.previous().unwrap();
                assert_eq!((previous.etag(), previous.last_modified()), (Some("v1"), Some(changed)));
                assert_eq!(*previous.value(), 36);
                assert_eq!(load::previous::<u32>().unwrap().into_value(), 36);
                Ok::<_, &str>(cx.not_modified().unwrap())
            };
            assert_eq!(users.get_or_load_with("ada", again).await.unwrap(), 36);
            let found = users.lookup("ada").await.unwrap().unwrap();
            assert_eq!((found.ttl_left(), found.tags().to_vec()), (Some(60 * SECOND), tags(&["team:7"])));
        }
    }
}

#[tokio::test]
async fn the_previous_value_of_a_cold_node_comes_from_the_shared_level() {
    let clock = MockClock::new();
    let lower = FakeBytes::new();
    let node = || {
        Cache::new(Fake::<str, u32>::new())
            .chain(Cache::new(lower.clone()).codec(Json))
            .ttl(60 * SECOND)
            .stale_if_error(600 * SECOND)
            .clock(clock.clone())
            .boxed()
    };
    node().insert_with("ada", 36, |entry| entry.etag("v1").tag("team:7")).await.unwrap();
    clock.advance(60 * SECOND);
    let etag = async |cx: Cx| {
        let previous = cx.previous().unwrap();
        assert_eq!((previous.etag(), previous.entry().tags().len()), (Some("v1"), 1));
        Ok::<_, &str>(37)
    };
    assert_eq!(node().get_or_load_with("ada", etag).await.unwrap(), 37);
}

#[tokio::test]
async fn the_reload_of_a_stale_value_sees_it_as_the_previous_one() {
    let clock = MockClock::new();
    let users = memory(&clock).stale(60 * SECOND);
    users.insert("ada", 36).await.unwrap();
    clock.advance(60 * SECOND);
    let next = async |cx: Cx| Ok::<_, &str>(cx.previous().unwrap().into_value() + 1);
    assert_eq!(users.get_or_load_with("ada", next).await.unwrap(), 36);
    settle().await;
    assert_eq!(users.get("ada").await.unwrap(), Some(37));
}

#[tokio::test]
async fn nested_loads_speak_for_themselves_and_hand_on_their_tags() {
    let clock = MockClock::new();
    let (outer, inner) = (memory(&clock), memory(&clock));
    let nested = inner.clone();
    let load = async move || {
        load::tag("outer");
        let value = nested
            .get_or_load("bob", async || {
                load::ttl(SECOND);
                load::tag("inner");
                Ok::<_, &str>(1)
            })
            .await
            .unwrap();
        load::ttl(2 * SECOND);
        Ok::<_, &str>(value)
    };
    outer.get_or_load("ada", load).await.unwrap();

    let (outer, inner) =
        (outer.lookup("ada").await.unwrap().unwrap(), inner.lookup("bob").await.unwrap().unwrap());
    assert_eq!((outer.ttl_left(), outer.tags().to_vec()), (Some(2 * SECOND), tags(&["outer", "inner"])));
    assert_eq!((inner.ttl_left(), inner.tags().to_vec()), (Some(SECOND), tags(&["inner"])));
}

#[tokio::test]
async fn every_function_does_nothing_outside_of_a_load_and_says_so() {
    let said = [
        load::is_running(),
        load::ttl(SECOND),
        load::stale(SECOND),
        load::stale_if_error(SECOND),
        load::tag("team:7"),
        load::etag("v1"),
        load::last_modified(SystemTime::UNIX_EPOCH),
        load::no_store(),
        load::no_fallback(),
        load::retry_after(SECOND),
    ];
    assert_eq!(said, [false; 10]);
    assert!(load::previous::<u32>().is_none());
}

#[tokio::test]
async fn the_context_works_in_tasks_of_the_load_and_in_scoped_loads() {
    let users = memory(&MockClock::new());
    let spawned = async |cx: Cx| {
        tokio::spawn(async move { cx.ttl(3 * SECOND) }).await.unwrap();
        Ok::<_, &str>(36)
    };
    users.get_or_load_with("ada", spawned).await.unwrap();
    let borrowed = String::from("scoped");
    let scoped = async || {
        load::tag(&borrowed);
        Ok::<_, &str>(37)
    };
    users.get_or_load_scoped("bob", scoped).await.unwrap();

    assert_eq!(users.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(3 * SECOND));
    assert_eq!(users.lookup("bob").await.unwrap().unwrap().tags().to_vec(), tags(&["scoped"]));
}

#[tokio::test]
async fn what_the_load_says_prevails_over_the_call_and_tags_of_both_count() {
    let users = memory(&MockClock::new());
    let load = async |cx: Cx| {
        cx.ttl(3 * SECOND);
        cx.tag("load");
        Ok::<_, &str>(36)
    };
    let call = users.with(|call| call.ttl(9 * SECOND).tag("call"));
    call.get_or_load_with("ada", load).await.unwrap();
    let found = users.lookup("ada").await.unwrap().unwrap();
    assert_eq!((found.ttl_left(), found.tags().to_vec()), (Some(3 * SECOND), tags(&["load", "call"])));
}
