//! What is said of a function, and what goes with it.

use super::Count;
use larder::{Caches, cached};
use std::collections::HashMap;
use std::time::Duration;
use tokio::join;

#[tokio::test]
async fn the_options_compose_the_cache() {
    const WINDOW: Duration = Duration::from_secs(30);
    #[cached(
        ttl = "1h30m",
        stale = WINDOW,
        stale_if_error = Duration::from_secs(60) * 2,
        capacity = 50,
        name = "users",
        refresh_ahead = 0.8,
        soft_timeout = "200ms",
        retry_after = "5s",
        jitter = 0.1,
        cache_if = |user| *user != 7
    )]
    async fn user(id: u64) -> u64 {
        id
    }

    user(7).await;
    assert_eq!(user::cache().get_now(&7), None);
    user(8).await;
    let found = user::cache().lookup(&8).await.unwrap().unwrap();
    assert!(found.ttl_left().unwrap() > Duration::from_secs(4_800));
    assert!(format!("{:?}", user::cache()).starts_with("Cache users"));
}

mod shop {
    /// The price of something.
    #[must_use]
    #[larder::cached]
    pub(super) async fn price(of: &str) -> usize {
        of.len()
    }
}

#[tokio::test]
async fn companions_are_where_the_function_is() {
    use shop::price;

    assert_eq!(price("bread").await, 5);
    price::insert("bread", 99).await.unwrap();
    assert_eq!(price("bread").await, 99);
    assert_eq!(price::uncached("bread").await, 5);
    assert_eq!(shop::price::refresh("bread").await, 5);
    assert_eq!(price("bread").await, 5);
    price::remove("bread").await.unwrap();
    assert_eq!(price::cache().get_now("bread"), None);
    let _ = price("milk").await;
    price::clear().await.unwrap();
    assert_eq!(price::cache().get_now("milk"), None);
    assert_eq!(price::stats().loads, 3);
    assert!(format!("{:?}", price::cache()).contains("::shop::price"));
}

#[tokio::test]
async fn clear_leaves_the_results_of_other_functions() {
    #[cached]
    async fn one() -> u64 {
        1
    }
    #[cached]
    async fn other() -> u64 {
        2
    }

    let _ = (one().await, other().await);
    one::clear().await.unwrap();
    assert_eq!((one::cache().get_now(&()), other::cache().get_now(&())), (None, Some(2)));
}

#[tokio::test]
async fn many_callers_are_one_load() {
    static RUNS: Count = Count::new();
    #[cached]
    async fn slow(id: u64) -> u64 {
        RUNS.one();
        tokio::task::yield_now().await;
        id
    }

    assert_eq!(join!(slow(7), slow(7), slow(7)), (7, 7, 7));
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test]
async fn calls_that_come_together_are_one_batch() {
    static CALLS: Count = Count::new();
    async fn users(ids: Vec<u64>) -> Result<HashMap<u64, String>, std::fmt::Error> {
        CALLS.one();
        Ok(ids.into_iter().filter(|id| *id != 9).map(|id| (id, format!("user {id}"))).collect())
    }
    #[cached(batch(users, window = "1ms", max_batch = 10), negative = "5s")]
    async fn user(id: u64) -> Result<Option<String>, std::fmt::Error>;

    let (one, other, absent) = join!(user(7), user(8), user(9));
    assert_eq!((one, other), (Ok(Some("user 7".into())), Ok(Some("user 8".into()))));
    assert_eq!((absent, CALLS.get()), (Ok(None), 1));
    assert_eq!((user(7).await, user(9).await), (Ok(Some("user 7".into())), Ok(None)));
    assert_eq!(CALLS.get(), 1);
    assert_eq!(user::uncached(9).await, Ok(None));
    assert_eq!(user::refresh(7).await, Ok(Some("user 7".into())));
    assert_eq!(CALLS.get(), 3);
    user::remove(7).await.unwrap();
    assert_eq!(user::cache().cache().get_now(&7), None);
}

#[tokio::test]
async fn a_batch_that_cannot_fail_is_one_too() {
    async fn lengths(names: Vec<String>) -> Vec<(String, usize)> {
        names.into_iter().filter(|name| !name.is_empty()).map(|name| (name.clone(), name.len())).collect()
    }
    #[cached(batch = lengths)]
    async fn length(name: &str) -> Option<usize>;

    assert_eq!(join!(length("ada"), length("")), (Some(3), None));
    assert_eq!(length::uncached("bob").await, Some(3));
}

#[tokio::test]
async fn a_body_that_blocks_runs_elsewhere() {
    #[cached(blocking)]
    async fn here(text: &str, times: usize) -> (std::thread::ThreadId, String) {
        larder::load::tag("there");
        (std::thread::current().id(), text.repeat(times))
    }

    let (thread, text) = here("ab", 2).await;
    assert_eq!(text, "abab");
    assert_ne!(thread, std::thread::current().id());
    here::cache().invalidate_tag("there").await.unwrap();
    assert_eq!(here::cache().get_now(&("ab".into(), 2)), None);
}

#[tokio::test]
async fn what_a_function_is_made_of_invalidates_it() {
    static RUNS: Count = Count::new();
    #[cached(tags = ["user:{id}"])]
    async fn user(id: u64) -> u64 {
        id
    }
    #[cached]
    async fn page(id: u64) -> u64 {
        RUNS.one();
        user(id).await + 1
    }

    user(7).await;
    page(7).await;
    user::cache().invalidate_tag("user:7").await.unwrap();
    page(7).await;
    assert_eq!(RUNS.get(), 2);
}

mod renamed {
    pub(super) use larder as elsewhere;
}

#[tokio::test]
async fn the_crate_may_have_another_name() {
    #[renamed::elsewhere::cached(crate = renamed::elsewhere, ttl = "60s")]
    async fn double(id: u64) -> u64 {
        2 * id
    }

    assert_eq!(double(7).await, 14);
}

#[tokio::test]
async fn a_scoped_load_borrows() {
    struct Uncloneable(u64);
    #[cached(scoped, skip(db))]
    async fn user(db: &Uncloneable, id: u64) -> u64 {
        db.0 + id
    }

    assert_eq!(user(&Uncloneable(1), 7).await, 8);
    assert_eq!(user(&Uncloneable(2), 7).await, 8);
}

#[tokio::test]
async fn a_closure_among_the_options_knows_the_type_of_the_values() {
    #[cached(cache_if = |words| !words.is_empty())]
    async fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    assert_eq!((words("").await.len(), words("ada lovelace").await.len()), (0, 2));
    assert_eq!(words::cache().get_now(""), None);
    assert!(words::cache().get_now("ada lovelace").is_some());
}

#[tokio::test]
async fn the_caches_of_functions_stand_in_the_registry_of_the_process() {
    static RUNS: Count = Count::new();
    #[cached]
    async fn listed(id: u64) -> u64 {
        RUNS.one();
        id
    }

    listed(7).await;
    let name = concat!(module_path!(), "::listed");
    let caches = Caches::of_the_process();
    assert_eq!(caches.stats()[name].loads, 1);
    caches.pause_reads(name).unwrap();
    listed(7).await;
    assert_eq!(RUNS.get(), 2);
    caches.resume_reads(name).unwrap();
    listed(7).await;
    assert_eq!(RUNS.get(), 2);
    assert!(caches.get::<u64, u64>(name).unwrap().is_some());
}

#[tokio::test]
async fn functions_of_one_name_never_share_results() {
    let one = {
        #[cached]
        async fn twin(id: u64) -> u64 {
            id + 1
        }
        twin(1).await
    };
    let other = {
        #[cached]
        async fn twin(id: u64) -> u64 {
            id + 2
        }
        twin(1).await
    };

    assert_eq!((one, other), (2, 3));
}

const KEY: &str = "mine";

fn body(text: &str) -> String {
    text.to_owned() + KEY
}

#[tokio::test]
async fn items_of_the_expansion_have_names_that_nobody_takes() {
    #[cached(blocking, key = "{text}:{times}")]
    async fn twice(text: &str, times: u32) -> String {
        body(text).repeat(times as usize)
    }

    assert_eq!(twice("ab", 2).await, "abmineabmine");
}
