//! Functions after which results are no longer true: `#[invalidates]`.

use larder::{Cache, cached, invalidates, prelude::*};
use std::future::pending;
use std::sync::Mutex;

#[derive(Debug, PartialEq)]
struct Refused;

#[cached]
async fn user(id: u64) -> String {
    format!("user {id}")
}

#[cached]
async fn by_name(name: &str, team: u32) -> String {
    format!("{name} of {team}")
}

#[cached]
fn price(of: &str) -> usize {
    of.len()
}

#[cached(tags = ["team:{team}"])]
async fn team(team: u32) -> u32 {
    team
}

#[tokio::test]
async fn a_success_removes_what_is_no_longer_true() {
    #[invalidates(user(id), by_name(&name, team), price(of), team(team))]
    async fn rename(id: u64, name: String, of: &str, team: u32, good: bool) -> Result<String, Refused> {
        if !good {
            Err(Refused)?;
        }
        // The arguments are the body's to use up.
        let used = name;
        Ok(used + of)
    }

    let there = || {
        (
            user::cache().get_now(&1).is_some(),
            by_name::cache().get_now(&("ada".into(), 7)).is_some(),
            price::cache().get_now("bread").is_some(),
        )
    };
    let _ = (user(1).await, by_name("ada", 7).await, price("bread"));
    assert_eq!(rename(1, "ada".into(), "bread", 7, false).await, Err(Refused));
    assert_eq!(there(), (true, true, true));
    assert_eq!(rename(1, "ada".into(), "bread", 7, true).await, Ok("adabread".into()));
    assert_eq!(there(), (false, false, false));
}

#[tokio::test]
async fn tags_of_arguments_and_results_are_invalidated() {
    struct Moved {
        to: u32,
    }
    #[invalidates(tags = ["team:{from}", "team:{result.to}"])]
    async fn transfer(from: u32) -> Moved {
        Moved { to: from + 1 }
    }

    let _ = (team(100).await, team(101).await, team(102).await);
    assert_eq!(transfer(100).await.to, 101);
    let left = [100, 101, 102].map(|number| team::cache().get_now(&number).is_some());
    assert_eq!(left, [false, false, true]);
}

#[tokio::test]
async fn what_the_function_returns_may_be_what_is_invalidated() {
    #[derive(Debug)]
    struct Created {
        id: u64,
        name: String,
    }
    #[invalidates(user(result.id), by_name(&result.name, 9))]
    async fn create() -> Result<Created, Refused> {
        Ok(Created { id: 2, name: "bob".into() })
    }

    let _ = (user(2).await, by_name("bob", 9).await);
    assert_eq!(create().await.unwrap().id, 2);
    assert_eq!(user::cache().get_now(&2), None);
    assert_eq!(by_name::cache().get_now(&("bob".into(), 9)), None);
}

#[test]
fn a_function_that_is_not_async_invalidates_both_kinds() {
    #[invalidates(price(&of), user(3))]
    fn change(of: String) -> bool {
        of.is_empty()
    }

    price("milk");
    user::cache().blocking().insert(&3, "old".into()).unwrap();
    assert!(!change("milk".into()));
    assert_eq!((price::cache().get_now("milk"), user::cache().get_now(&3)), (None, None));
}

#[derive(Clone)]
struct Users {
    cache: Cache<u64, String>,
    changes: u32,
}

impl Users {
    #[invalidates(self.cache.remove(&id), self.cache.invalidate_tag("users"))]
    async fn rename(&mut self, id: u64) -> Result<u32, Refused> {
        self.changes += 1;
        Ok(self.changes)
    }

    #[invalidates(tags = ["user:{id}"], cache = self.cache)]
    fn forget(&self, id: u64) {}
}

#[tokio::test]
async fn methods_invalidate_caches_of_their_own() {
    let mut users = Users { cache: Cache::new(Memory::new(10)).boxed(), changes: 0 };

    users.cache.insert(&1, "ada".into()).await.unwrap();
    users.cache.insert_with(&2, "bob".into(), |entry| entry.tag("users")).await.unwrap();
    users.cache.insert_with(&3, "eve".into(), |entry| entry.tag("user:3")).await.unwrap();
    assert_eq!(users.rename(1).await, Ok(1));
    assert_eq!((users.cache.get_now(&1), users.cache.get_now(&2)), (None, None));
    assert!(users.cache.get_now(&3).is_some());
    users.forget(3);
    assert_eq!(users.cache.get_now(&3), None);
}

/// The caller goes away when the source is changed and the invalidation waits for its turn.
#[tokio::test]
async fn what_was_changed_is_invalidated_though_the_caller_has_gone() {
    static BEGUN: Mutex<Option<tokio::sync::oneshot::Sender<()>>> = Mutex::new(None);

    #[derive(Clone)]
    struct Slow(Cache<u64, u64>);
    impl Slow {
        async fn remove_later(&self, id: u64) -> larder::Result<()> {
            let begun = BEGUN.lock().unwrap().take();
            begun.unwrap().send(()).unwrap();
            // The one that calls is dropped here.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            self.0.remove(&id).await
        }
    }
    #[invalidates(slow.remove_later(id))]
    async fn change(slow: &Slow, id: u64) {
        assert_eq!(slow.0.get_now(&id), Some(id));
    }

    let slow = Slow(Cache::new(Memory::new(10)).boxed());
    slow.0.insert(&7, 7).await.unwrap();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    *BEGUN.lock().unwrap() = Some(begun);
    tokio::select! {
        biased;
        () = change(&slow, 7) => panic!("it has not waited"),
        _ = has_begun => {}
    }
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(slow.0.get_now(&7), None);
}

#[tokio::test]
async fn a_caller_that_goes_before_the_change_invalidates_nothing() {
    #[invalidates(user(id))]
    async fn never(id: u64) -> u64 {
        pending::<()>().await;
        id
    }

    user(4).await;
    tokio::select! {
        biased;
        _ = never(4) => {}
        () = tokio::task::yield_now() => {}
    }
    assert!(user::cache().get_now(&4).is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn where_a_thread_must_not_wait_it_is_invalidated_all_the_same() {
    static GO: tokio::sync::Notify = tokio::sync::Notify::const_new();
    #[derive(Clone)]
    struct Far(Cache<u64, u64>);
    impl Far {
        async fn remove(&self, id: u64) -> larder::Result<()> {
            GO.notified().await;
            self.0.remove(&id).await
        }
    }
    #[invalidates(near.remove(&id), far.remove(id))]
    fn change(near: &Cache<u64, u64>, far: &Far, id: u64) -> u64 {
        id
    }

    let (near, far) = (Cache::new(Memory::new(10)).boxed(), Far(Cache::new(Memory::new(10)).boxed()));
    near.insert(&7, 7).await.unwrap();
    far.0.insert(&7, 7).await.unwrap();
    assert_eq!(change(&near, &far, 7), 7);
    assert_eq!((near.get_now(&7), far.0.get_now(&7)), (None, Some(7)), "what waits for nobody is done");
    GO.notify_one();
    while far.0.get_now(&7).is_some() {
        tokio::task::yield_now().await;
    }
}

/// What writes when it is dropped has written before anything is invalidated.
#[tokio::test]
async fn arguments_are_dropped_before_anything_is_invalidated() {
    static WRITTEN: Mutex<bool> = Mutex::new(false);
    struct Writer;
    impl Drop for Writer {
        fn drop(&mut self) {
            *WRITTEN.lock().unwrap() = true;
        }
    }
    async fn was_written() -> larder::Result<()> {
        assert!(std::mem::take(&mut *WRITTEN.lock().unwrap()));
        Ok(())
    }
    struct After;
    impl After {
        async fn writing(&self) -> larder::Result<()> {
            was_written().await
        }
    }
    #[invalidates(After.writing())]
    async fn save(_out: Writer, mut text: String) -> usize {
        text.push('!');
        text.len()
    }
    #[invalidates(After.writing())]
    fn save_here(out: Writer) {
        let _ = &out;
    }

    assert_eq!(save(Writer, "ada".into()).await, 4);
    save_here(Writer);
}

#[tokio::test]
async fn a_function_that_returns_an_impl_invalidates_too() {
    #[invalidates(user(id))]
    async fn handler(id: u64) -> impl std::fmt::Display {
        id + 1
    }

    user(5).await;
    assert_eq!(handler(5).await.to_string(), "6");
    assert_eq!(user::cache().get_now(&5), None);
}
