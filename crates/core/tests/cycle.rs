//! Promise 3, its last part: a load that waits for itself gets an error and not a hang.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{Cache, CallOptions, LoadError};
use larder_testkit::{Fake, Gate, MockClock};
use std::time::Duration;

type Users = Cache<str, u32>;

fn users() -> Users {
    Cache::new(Fake::new()).clock(MockClock::new()).boxed()
}

#[tokio::test]
async fn a_load_that_asks_for_its_own_key_gets_a_cycle() {
    let users = users();
    let again = users.clone();
    let outcome = users
        .get_or_load("ada", async move || again.get_or_load("ada", async || Ok::<_, String>(1)).await)
        .await;
    // The inner error is the outer load's own.
    let inner = outcome.unwrap_err();
    assert!(matches!(inner.as_load(), Some(LoadError::Cycle)), "{inner:?}");

    let again = users.clone();
    let scoped = users.get_or_load_scoped("ada", async || {
        again.get_or_load_scoped("ada", async || Ok::<_, String>(1)).await
    });
    assert!(matches!(scoped.await.unwrap_err().as_load(), Some(LoadError::Cycle)));
    assert_eq!(users.get_or_insert_with("ada", async || 36).await, 36, "the key is not stuck");
}

#[tokio::test]
async fn loads_of_two_caches_that_wait_for_each_other_get_a_cycle() {
    let (users, teams) = (users(), users());
    let meet = Gate::closed();
    // Each waits until both have begun, and then asks for the other's key.
    let load = |mine: Users, other: Users, meet: Gate| async move {
        mine.get_or_load("key", async move || {
            meet.pass().await;
            match other.get_or_load("key", async || Ok::<_, String>(1)).await {
                Err(LoadError::Cycle) => Err(String::from("cycle")),
                other => other.map_err(|error| error.to_string()),
            }
        })
        .await
    };
    let first = tokio::spawn(load(users.clone(), teams.clone(), meet.clone()));
    let second = tokio::spawn(load(teams.clone(), users.clone(), meet.clone()));
    meet.reached(2).await;
    meet.open();

    let outcomes = [first.await.unwrap(), second.await.unwrap()];
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    let texts = outcomes.map(|outcome| outcome.unwrap_err().to_string());
    assert!(texts.iter().any(|text| text.contains("cycle")), "{texts:?}");
}

#[tokio::test]
async fn nested_loads_of_other_keys_are_no_cycle() {
    let users = users();
    let inner = users.clone();
    let sum = users
        .get_or_load("sum", async move || {
            let ada = inner.get_or_load("ada", async || Ok::<_, String>(36)).await?;
            let bob = inner.get_or_load("bob", async || Ok::<_, String>(4)).await?;
            Ok::<_, LoadError<String>>(ada + bob)
        })
        .await;
    assert_eq!(sum.unwrap(), 40);
}

#[tokio::test]
async fn a_load_that_wants_the_end_of_another_one_is_in_a_circle_though_something_old_is_served_meanwhile() {
    let clock = MockClock::new();
    let users: Users = Cache::new(Fake::new())
        .ttl(Duration::from_secs(1))
        .chain(Cache::new(Fake::remote()).ttl(Duration::from_secs(60)))
        .clock(clock.clone())
        .boxed();
    users.insert("bob", 1).await.unwrap();
    clock.advance(Duration::from_secs(1));

    let (outer, inner) = (users.clone(), users.clone());
    let ada = async move || {
        let back =
            async move || inner.get_or_load("ada", async || Ok::<_, &str>(3)).await.map_err(|_| "a circle");
        outer.with(CallOptions::force_refresh).get_or_load("bob", back).await.map_err(|_| "bob failed")
    };
    let answer = users.get_or_load("ada", ada).await;
    assert_eq!(answer.unwrap_err().as_load(), Some(&"bob failed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_that_wait_for_each_other_get_a_cycle_on_whichever_threads_they_run() {
    for _ in 0..200 {
        let users: Users = Cache::new(Fake::new()).boxed();
        let ask = |of: &'static str, other: &'static str| {
            let (users, inner) = (users.clone(), users.clone());
            async move {
                let load = async move || {
                    let again = inner.clone();
                    let back = async move || {
                        again.get_or_load(of, async || Ok::<_, &str>(1)).await.map_err(|_| "back")
                    };
                    inner.get_or_load(other, back).await.map_err(|_| "there")
                };
                users.get_or_load(of, load).await
            }
        };
        assert!(ask("ada", "bob").await.is_err());
    }
}
