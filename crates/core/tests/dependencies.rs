//! What a load is made from: nested calls hand their tags to the outer entry.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder::Json;
use larder_core::{Cache, CallOptions, Coherence, LoadContext, load};
use larder_testkit::{Fake, FakeBytes, MockClock, settle};
use std::time::Duration;
use tokio::sync::oneshot;

const SECOND: Duration = Duration::from_secs(1);

type Texts = Cache<str, String>;

fn memory(clock: &MockClock) -> Texts {
    Cache::new(Fake::new()).clock(clock.clone()).boxed()
}

fn two_levels(clock: &MockClock) -> Texts {
    Cache::new(Fake::<str, String>::new())
        .chain(Cache::new(FakeBytes::new()).codec(Json))
        .ttl(60 * SECOND)
        .clock(clock.clone())
        .boxed()
}

async fn user(users: &Texts) -> String {
    let load = async || {
        load::depends_on("user:7");
        "Ada".to_string()
    };
    users.get_or_insert_with("7", load).await
}

async fn page(pages: &Texts, users: &Texts) -> String {
    let users = users.clone();
    pages.get_or_insert_with("/7", async move || format!("<h1>{}", user(&users).await)).await
}

async fn site(sites: &Texts, pages: &Texts, users: &Texts) -> String {
    let (pages, users) = (pages.clone(), users.clone());
    sites.get_or_insert_with("/", async move || page(&pages, &users).await).await
}

// D2, D5, D6, D7, D-d1.
#[tokio::test]
async fn dependencies_are_inherited_on_a_miss_and_on_a_hit_through_any_depth_and_across_caches() {
    for make in [memory, two_levels] {
        for warm in 0..3 {
            let clock = MockClock::new();
            let (users, pages, sites) = (make(&clock), make(&clock), make(&clock));
            if warm > 0 {
                user(&users).await;
            }
            if warm > 1 {
                page(&pages, &users).await;
            }
            site(&sites, &pages, &users).await;
            users.invalidate_tag("user:7").await.unwrap();
            for (cache, key) in [(&users, "7"), (&pages, "/7"), (&sites, "/")] {
                assert_eq!(cache.get(key).await.unwrap(), None, "{key} after {warm} were there");
            }
        }
    }
}

#[tokio::test]
async fn whichever_way_a_cached_value_comes_into_a_load_it_brings_its_tags() {
    type Way = for<'a> fn(&'a Texts) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
    let ways: [(&str, Way); 6] = [
        ("get", |users| Box::pin(async { assert!(users.get("7").await.unwrap().is_some()) })),
        ("get_now", |users| Box::pin(async { assert!(users.get_now("7").is_some()) })),
        ("lookup", |users| Box::pin(async { assert!(users.lookup("7").await.unwrap().is_some()) })),
        ("get_or_load", |users| {
            Box::pin(async { drop(users.get_or_load("7", async || Err::<String, _>(())).await.unwrap()) })
        }),
        ("scoped", |users| {
            Box::pin(async {
                drop(users.get_or_load_scoped("7", async || Err::<String, _>(())).await.unwrap());
            })
        }),
        ("refresh", |users| {
            let users = users.with(CallOptions::force_refresh);
            Box::pin(async move { drop(user(&users).await) })
        }),
    ];
    for (name, way) in ways {
        let clock = MockClock::new();
        let (users, pages) = (memory(&clock), memory(&clock));
        user(&users).await;
        let nested = users.clone();
        let load = async move || {
            way(&nested).await;
            String::new()
        };
        pages.get_or_insert_with("/7", load).await;
        users.invalidate_tag("user:7").await.unwrap();
        assert_eq!(pages.get("/7").await.unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn a_load_that_waits_for_anothers_inherits_from_it() {
    let clock = MockClock::new();
    let (users, pages) = (memory(&clock), memory(&clock));
    let (go, wait) = oneshot::channel::<()>();
    let first = users.clone();
    let slow = async move || {
        wait.await.unwrap();
        load::depends_on("user:7");
        "Ada".to_string()
    };
    let first = tokio::spawn(async move { first.get_or_insert_with("7", slow).await });
    settle().await;
    let (nested, outer) = (users.clone(), pages.clone());
    let second = tokio::spawn(async move { page(&outer, &nested).await });
    settle().await;
    go.send(()).unwrap();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(users.stats().joins, 1);
    users.invalidate_tag("user:7").await.unwrap();
    assert_eq!(pages.get("/7").await.unwrap(), None);
}

#[tokio::test]
async fn a_value_that_is_stored_nowhere_hands_on_its_tags_too() {
    let clock = MockClock::new();
    let (users, pages) = (memory(&clock), memory(&clock));
    let nested = users.clone();
    let load = async move || {
        let secret = async |cx: LoadContext<str, String>| {
            cx.no_store();
            cx.tag("user:7");
            Ok::<_, ()>("Ada".to_string())
        };
        nested.get_or_load_with("7", secret).await.unwrap()
    };
    pages.get_or_insert_with("/7", load).await;
    assert_eq!(users.get("7").await.unwrap(), None);
    users.invalidate_tag("user:7").await.unwrap();
    assert_eq!(pages.get("/7").await.unwrap(), None);
}

#[tokio::test]
async fn an_invalidation_in_the_middle_of_the_outer_load_overtakes_it() {
    let clock = MockClock::new();
    let (users, pages) = (memory(&clock), memory(&clock));
    let nested = users.clone();
    let load = async move || {
        let name = user(&nested).await;
        nested.invalidate_tag("user:7").await.unwrap();
        name
    };
    assert_eq!(pages.get_or_insert_with("/7", load).await, "Ada");
    assert_eq!(pages.get("/7").await.unwrap(), None);
}

// D11, D-d9.
#[tokio::test]
async fn tasks_and_threads_of_a_load_are_part_of_it_in_its_scope_and_else_say_that_they_are_not() {
    let clock = MockClock::new();
    let pages = memory(&clock);
    let load = async || {
        assert!(!tokio::spawn(async { load::depends_on("lost") }).await.unwrap());
        assert!(tokio::spawn(load::current().scope(async { load::depends_on("task") })).await.unwrap());
        let thread = load::current();
        let said = std::thread::spawn(move || thread.run(|| load::depends_on("thread")));
        assert!(said.join().unwrap());
        let blocking = load::current();
        assert!(tokio::task::spawn_blocking(move || blocking.run(load::is_running)).await.unwrap());
        String::new()
    };
    assert!(!load::current().is_load());
    assert!(!load::current().scope(async { load::depends_on("nobody") }).await);
    assert!(!load::current().run(|| load::depends_on("nobody")));
    for tag in ["task", "thread"] {
        pages.get_or_insert_with("/7", load).await;
        pages.invalidate_tag(tag).await.unwrap();
        assert_eq!(pages.get("/7").await.unwrap(), None, "{tag}");
    }
}

// D9, D10.
#[tokio::test]
async fn a_load_sees_what_it_depends_on_so_far_and_may_know_better() {
    let clock = MockClock::new();
    let (users, pages) = (memory(&clock), memory(&clock));
    let nested = users.clone();
    let load = async move |cx: LoadContext<str, String>| {
        let name = user(&nested).await;
        cx.tag("page");
        assert_eq!((cx.tags().len(), load::tags()), (2, cx.tags()));
        cx.ttl(SECOND);
        assert_eq!(cx.said_ttl(), Some(SECOND));
        load::clear_tags();
        cx.tag("only");
        Ok::<_, ()>(name)
    };
    pages.get_or_load_with("/7", load).await.unwrap();
    users.invalidate_tags(["user:7", "page"]).await.unwrap();
    assert_eq!(pages.get("/7").await.unwrap().as_deref(), Some("Ada"));
    assert!(load::tags().is_empty());
    pages.invalidate_tag("only").await.unwrap();
    assert_eq!(pages.get("/7").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_made_from_another_group_goes_with_that_groups_invalidations() {
    let clock = MockClock::new();
    let (theirs, ours) = (Coherence::new(), Coherence::new());
    let of = |group: &Coherence| {
        Cache::new(Fake::<str, String>::new()).clock(clock.clone()).coherence(group).boxed()
    };
    let (users, pages, sites) = (of(&theirs), of(&ours), of(&Coherence::new()));
    for group in [&theirs, &ours] {
        site(&sites, &pages, &users).await;
        assert!(sites.get("/").await.unwrap().is_some());
        group.invalidate_tag("another").await.unwrap();
        assert!(sites.get("/").await.unwrap().is_some() && pages.get("/7").await.unwrap().is_some());
        group.invalidate_tag("user:7").await.unwrap();
        assert_eq!((pages.get("/7").await.unwrap(), sites.get("/").await.unwrap()), (None, None));
    }
}

#[tokio::test]
async fn a_value_lives_no_longer_than_what_it_was_made_from_if_that_is_said() {
    for (capped, left) in [(false, 3600), (true, 50)] {
        let clock = MockClock::new();
        let users = memory(&clock).ttl(60 * SECOND);
        let pages = memory(&clock).ttl(3600 * SECOND);
        let pages = if capped { pages.capped_by_dependencies() } else { pages };
        users.insert("7", "Ada".into()).await.unwrap();
        clock.advance(10 * SECOND);
        page(&pages, &users).await;
        let found = pages.lookup("/7").await.unwrap().unwrap();
        assert_eq!(found.ttl_left(), Some(left * SECOND));
    }
}

#[tokio::test]
async fn the_cap_counts_for_what_was_loaded_and_joined_as_well() {
    let clock = MockClock::new();
    let users = memory(&clock).ttl(60 * SECOND);
    let pages = memory(&clock).capped_by_dependencies();
    page(&pages, &users).await;
    assert_eq!(pages.lookup("/7").await.unwrap().unwrap().ttl_left(), Some(60 * SECOND));
}
