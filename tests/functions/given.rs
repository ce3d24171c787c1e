//! `cache = EXPR`: the results are kept where the caller says.

use super::Count;
use larder::{Loading, cached, prelude::*};
use larder_testkit::MockClock;
use std::sync::LazyLock;

static USERS: LazyLock<Cache<str, u64>> = LazyLock::new(|| Cache::new(Memory::new(100)).boxed());

#[tokio::test]
async fn a_template_is_the_text_that_the_given_cache_is_looked_up_by() {
    #[cached(cache = USERS, key = "user:{id}")]
    async fn user(id: u64) -> u64 {
        id
    }

    assert_eq!(user(7).await, 7);
    assert_eq!(USERS.get("user:7").await.unwrap(), Some(7));
    user::remove(7).await.unwrap();
    assert_eq!(USERS.get("user:7").await.unwrap(), None);
    user::insert(7, 70).await.unwrap();
    assert_eq!(user(7).await, 70);
}

#[tokio::test]
async fn parts_of_a_text_cannot_be_mistaken() {
    #[cached(cache = USERS, key = "member:{team}:{name}")]
    async fn member(team: &str, name: &str) -> u64 {
        team.len() as u64 * 10 + name.len() as u64
    }

    assert_eq!(member("1:2", "3").await, 31);
    assert_eq!(member("1", "2:3").await, 13);
    assert_eq!(USERS.get("member:1%3A2:3").await.unwrap(), Some(31));
}

struct App {
    users: Cache<u64, String>,
    both: Cache<(String, u32), String>,
}

#[tokio::test]
async fn the_cache_may_be_a_part_of_an_argument() {
    static RUNS: Count = Count::new();
    #[cached(cache = app.users, skip(app), scoped)]
    async fn user(app: &App, id: u64) -> String {
        RUNS.one();
        format!("{id} of {}", app.both.name_for_tests())
    }
    trait Name {
        fn name_for_tests(&self) -> &'static str;
    }
    impl<K: ?Sized + larder::Lookup, V> Name for Cache<K, V> {
        fn name_for_tests(&self) -> &'static str {
            "it"
        }
    }

    let app = App { users: Cache::new(Memory::new(10)).boxed(), both: Cache::new(Memory::new(10)).boxed() };
    assert_eq!(user(&app, 7).await, "7 of it");
    assert_eq!(user(&app, 7).await, "7 of it");
    assert_eq!(RUNS.get(), 1);
    user::remove(&app, 7).await.unwrap();
    assert_eq!(app.users.get_now(&7), None);
    assert_eq!(user::refresh(&app, 7).await, "7 of it");
    assert_eq!(app.users.get_now(&7).as_deref(), Some("7 of it"));
}

#[tokio::test]
async fn a_generic_function_has_a_cache_that_is_given() {
    static RUNS: Count = Count::new();
    #[cached(cache = cache, skip(cache))]
    async fn shown<T: std::fmt::Display + Clone + Eq + std::hash::Hash + Send + Sync + 'static>(
        cache: &Cache<(T, u32), String>,
        what: T,
        times: u32,
    ) -> String {
        RUNS.one();
        what.to_string().repeat(times as usize)
    }

    let (numbers, texts) = (Cache::new(Memory::new(10)).boxed(), Cache::new(Memory::new(10)).boxed());
    assert_eq!((shown(&numbers, 7, 2).await, shown(&numbers, 7, 2).await), ("77".into(), "77".into()));
    assert_eq!(shown(&texts, "ab".to_owned(), 2).await, "abab");
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test]
async fn what_the_options_say_of_life_is_said_by_the_load() {
    let clock = MockClock::new();
    let cache = Cache::new(Memory::<u64, Option<u64>>::new(10)).ttl(hours(1)).clock(clock.clone()).boxed();
    #[cached(cache = cache, skip(cache), ttl = "60s", negative = "5s", cache_if = |found| *found != Some(9))]
    async fn user(cache: &Cache<u64, Option<u64>>, id: u64) -> Option<u64> {
        (id != 8).then_some(id)
    }

    user(&cache, 7).await;
    assert_eq!(cache.lookup(&7).await.unwrap().unwrap().ttl_left(), Some(secs(60)));
    user(&cache, 8).await;
    assert_eq!(cache.lookup(&8).await.unwrap().unwrap().ttl_left(), Some(secs(5)));
    assert_eq!(user(&cache, 9).await, Some(9));
    assert!(cache.lookup(&9).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_inserted_lives_as_what_is_loaded() {
    let clock = MockClock::new();
    let cache = Cache::new(Memory::<u64, Option<u64>>::new(10)).clock(clock.clone()).boxed();
    #[cached(cache = cache, skip(cache), ttl = "60s", stale = "30s", negative = "5s", cache_if = |found| *found != Some(9))]
    async fn user(cache: &Cache<u64, Option<u64>>, id: u64) -> Option<u64> {
        (id != 8).then_some(id)
    }

    for by_hand in [false, true] {
        if by_hand {
            user::insert(&cache, 7, Some(70)).await.unwrap();
            user::insert(&cache, 8, None).await.unwrap();
            user::insert(&cache, 9, Some(9)).await.unwrap();
        } else {
            assert_eq!((user(&cache, 7).await, user(&cache, 8).await), (Some(7), None));
        }
        assert_eq!(cache.get_now(&9), None);
        clock.advance(secs(5));
        assert_eq!(cache.get(&8).await.unwrap(), None, "absence has no windows");
        clock.advance(secs(56));
        assert!(cache.get(&7).await.unwrap().is_some(), "stale");
        clock.advance(secs(30));
        assert_eq!(cache.get(&7).await.unwrap(), None);
    }
}

#[tokio::test]
async fn arguments_that_are_owned_may_tell_the_cache_and_the_key() {
    #[cached(cache = app.users, key = |id| id)]
    async fn user(app: std::sync::Arc<App>, id: u64) -> String {
        format!("{id} of {}", std::sync::Arc::strong_count(&app))
    }
    #[cached(cache = USERS, key = |name| name.as_str())]
    fn length(name: String) -> u64 {
        name.len() as u64
    }

    let app = App { users: Cache::new(Memory::new(10)).boxed(), both: Cache::new(Memory::new(10)).boxed() };
    let app = std::sync::Arc::new(app);
    let again = std::sync::Arc::clone(&app);
    assert_eq!(user(app, 7).await, user(again, 7).await);
    assert_eq!(length("four".into()), 4);
    assert_eq!(USERS.get_now("four"), Some(4));
}

#[tokio::test]
async fn tags_of_the_arguments_are_those_of_the_result() {
    #[cached(cache = cache, skip(cache), tags = ["user:{id}", "users"])]
    async fn user(cache: &Cache<u64, u64>, id: u64) -> u64 {
        id
    }

    let cache = Cache::new(Memory::new(10)).boxed();
    user(&cache, 7).await;
    user::insert(&cache, 8, 80).await.unwrap();
    cache.invalidate_tag("user:7").await.unwrap();
    assert_eq!((cache.get_now(&7), cache.get_now(&8)), (None, Some(80)));
    cache.invalidate_tag("users").await.unwrap();
    assert_eq!(cache.get_now(&8), None);
}

#[tokio::test]
async fn a_closure_may_return_what_the_cache_owns_or_borrow_it() {
    #[cached(cache = USERS, key = |name| name)]
    async fn borrowed(name: &str) -> u64 {
        name.len() as u64
    }
    #[cached(cache = USERS, key = |name| name.to_lowercase())]
    async fn owned(name: &str) -> u64 {
        name.len() as u64
    }

    assert_eq!((borrowed("closure").await, owned("CLOSURE").await), (7, 7));
    assert_eq!(USERS.get_now("closure"), Some(7));
    owned::remove("CloSure").await.unwrap();
    assert_eq!(USERS.get_now("closure"), None);
}

#[tokio::test]
async fn a_cache_with_a_loader_will_do() {
    let cache: Loading<u64, u64, String> =
        Cache::new(Memory::new(10)).loader(async |_: larder::LoadContext<u64, u64>| Ok(0)).boxed();
    #[cached(cache = cache, skip(cache))]
    async fn double(cache: &Loading<u64, u64, String>, id: u64) -> u64 {
        2 * id
    }

    assert_eq!(double(&cache, 7).await, 14);
    assert_eq!(cache.cache().get_now(&7), Some(14));
}
