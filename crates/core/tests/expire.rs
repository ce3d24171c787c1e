//! Ending the life of a key, while what was there is kept for loads that fail.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{
    Cache, CallOptions, Capabilities, Cleared, Clock, Entry, Holds, Operation, Result, Store, Time, Usage,
};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Failing = Loader<Bytes, &'static str>;

macro_rules! in_all_forms {
    ($name:ident, |$cache:ident, $clock:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check<S, C>($cache: Cache<str, Bytes, S, C>, $clock: MockClock)
            where
                S: Send + Sync + 'static,
                C: Holds<S, str, Bytes>,
            {
                let $cache = $cache.clock($clock.clone());
                $body
            }

            #[tokio::test]
            async fn in_memory() {
                check(Cache::new(Fake::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_memory_that_waits() {
                check(Cache::new(Fake::remote()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_bytes() {
                check(Cache::new(FakeBytes::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_chain() {
                let cache = Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new()));
                check(cache, MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_boxed_chain() {
                let cache = Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new()));
                check(cache.boxed(), MockClock::new()).await;
            }
        }
    };
}

// FusionCache 7, 34.
in_all_forms!(reads_miss_and_a_load_that_fails_is_answered_with_what_was_there, |cache, clock| {
    let cache = cache.ttl(60 * SECOND).stale(30 * SECOND).stale_if_error(100 * SECOND);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(10 * SECOND);
    cache.expire("ada").await.unwrap();

    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert!(!cache.contains("ada").await.unwrap());
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), Some("old".into()));
    assert_eq!(cache.get_or_load("ada", Failing::failing("down").load()).await.unwrap(), "old");
    clock.advance(100 * SECOND - Duration::from_millis(1));
    assert_eq!(cache.get_or_load("ada", Failing::failing("down").load()).await.unwrap(), "old");
    clock.advance(Duration::from_millis(1));
    assert!(cache.get_or_load("ada", Failing::failing("down").load()).await.is_err());
});

in_all_forms!(the_next_load_replaces_it, |cache, _clock| {
    let cache = cache.ttl(60 * SECOND).stale_if_error(100 * SECOND);
    cache.insert("ada", "old".into()).await.unwrap();
    cache.expire("ada").await.unwrap();
    assert_eq!(cache.get_or_load("ada", Failing::value("new".into()).load()).await.unwrap(), "new");
    assert_eq!(cache.get("ada").await.unwrap(), Some("new".into()));
});

in_all_forms!(without_a_window_for_failures_it_is_removed, |cache, _clock| {
    let cache = cache.ttl(60 * SECOND).stale(30 * SECOND);
    cache.insert("ada", "old".into()).await.unwrap();
    cache.expire("ada").await.unwrap();
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), None);
    assert!(cache.get_or_load("ada", Failing::failing("down").load()).await.is_err());
});

in_all_forms!(what_would_never_expire_is_kept_for_as_long_as_is_said_of_failures, |cache, clock| {
    let cache = cache.stale_if_error(100 * SECOND);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(1_000 * SECOND);
    cache.expire("ada").await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), None);
    clock.advance(99 * SECOND);
    assert_eq!(cache.get_or_load("ada", Failing::failing("down").load()).await.unwrap(), "old");
    clock.advance(SECOND);
    assert!(cache.get_or_load("ada", Failing::failing("down").load()).await.is_err());
});

in_all_forms!(to_expire_it_again_does_not_keep_it_longer, |cache, clock| {
    let cache = cache.ttl(60 * SECOND).stale_if_error(100 * SECOND);
    cache.insert("ada", "old".into()).await.unwrap();
    for _ in 0..2 {
        cache.expire("ada").await.unwrap();
        assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), Some("old".into()));
        clock.advance(50 * SECOND);
    }
    cache.expire("ada").await.unwrap();
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), None);
});

in_all_forms!(what_was_said_of_one_entry_is_for_how_long_that_is_kept, |cache, clock| {
    let cache = cache.ttl(60 * SECOND).stale_if_error(100 * SECOND);
    cache.insert_with("ada", "old".into(), |entry| entry.stale_if_error(10 * SECOND)).await.unwrap();
    cache.expire("ada").await.unwrap();
    clock.advance(9 * SECOND);
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), Some("old".into()));
    clock.advance(SECOND);
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), None);
});

in_all_forms!(what_is_not_there_is_expired_without_trouble, |cache, _clock| {
    let cache = cache.stale_if_error(100 * SECOND);
    cache.expire("ada").await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), None);
});

in_all_forms!(a_load_that_is_under_way_is_overtaken_and_its_value_not_stored, |cache, _clock| {
    for kept in [0, 100] {
        let cache = cache.clone().ttl(60 * SECOND).stale_if_error(kept * SECOND);
        let (earlier, later) =
            (Failing::value("before".into()).gated(), Failing::value("after".into()).gated());
        let spawn_load = |loader: &Failing| {
            let (cache, load) = (cache.clone(), loader.load());
            tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() })
        };
        let before = spawn_load(&earlier);
        earlier.gate().reached(1).await;
        cache.expire("ada").await.unwrap();
        let after = spawn_load(&later);
        later.gate().reached(1).await;
        earlier.gate().open();
        assert_eq!(before.await.unwrap(), "before");
        assert_eq!(cache.get("ada").await.unwrap(), None);
        later.gate().open();
        assert_eq!(after.await.unwrap(), "after");
        assert_eq!(cache.get("ada").await.unwrap(), Some("after".into()));
        cache.remove("ada").await.unwrap();
    }
});

in_all_forms!(it_ends_the_wait_for_the_next_try, |cache, clock| {
    let cache = cache.ttl(60 * SECOND).stale_if_error(100 * SECOND);
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(60 * SECOND);
    assert_eq!(cache.get_or_load("ada", Failing::failing("down").load()).await.unwrap(), "old");
    cache.expire("ada").await.unwrap();
    assert_eq!(cache.get_or_load("ada", Failing::value("new".into()).load()).await.unwrap(), "new");
});

in_all_forms!(a_handle_that_does_not_write_a_level_does_not_expire_it, |cache, _clock| {
    for kept in [0, 100] {
        let cache = cache.clone().stale_if_error(kept * SECOND);
        cache.insert("ada", "old".into()).await.unwrap();
        cache.with(|call| call.skip_write(0).skip_write(1)).expire("ada").await.unwrap();
        assert_eq!(cache.get("ada").await.unwrap(), Some("old".into()));
    }
});

#[tokio::test]
async fn each_level_keeps_it_for_as_long_as_is_said_there() {
    let (front, back, clock) = (Fake::<str, Bytes>::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front.clone())
        .chain(Cache::new(back.clone()).stale_if_error(100 * SECOND))
        .ttl(60 * SECOND)
        .clock(clock.clone());
    cache.insert("ada", "old".into()).await.unwrap();
    cache.expire("ada").await.unwrap();
    assert!(front.is_empty());
    assert_eq!(back.expires_at("larder:ada"), Some(larder_core::Clock::wall(&clock) + 100 * SECOND));
    assert_eq!(cache.get_or_load("ada", Failing::failing("down").load()).await.unwrap(), "old");
}

// FusionCache 90.
#[tokio::test]
async fn an_older_entry_behind_does_not_come_back() {
    let clock = MockClock::new();
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(FakeBytes::new()))
        .ttl(60 * SECOND)
        .stale_if_error(100 * SECOND)
        .clock(clock.clone());
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(SECOND);
    cache.with(|call| call.skip_write(1)).insert("ada", "new".into()).await.unwrap();
    cache.expire("ada").await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert_eq!(cache.get_or_load("ada", Failing::failing("down").load()).await.unwrap(), "new");
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), Some("new".into()));
}

#[tokio::test]
async fn what_cannot_be_decoded_is_removed() {
    let (back, events) = (FakeBytes::new(), Recorder::new());
    let cache = Cache::<str, Bytes, _, _>::new(Fake::new())
        .chain(Cache::new(back.clone()))
        .stale_if_error(100 * SECOND)
        .observer(events.clone());
    back.put_raw("larder:ada", "no envelope");
    cache.expire("ada").await.unwrap();
    assert_eq!(back.raw("larder:ada"), None);
    assert_eq!(events.failures().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_removed() {
    let (memory, bytes) = (Fake::<str, Bytes>::remote(), FakeBytes::new());
    let cache =
        Cache::new(memory.clone()).chain(Cache::new(bytes.clone())).stale_if_error(100 * SECOND).boxed();
    cache.insert("ada", "old".into()).await.unwrap();
    memory.fail(&[Operation::Read]);
    bytes.fail(&[Operation::Read]);
    cache.expire("ada").await.unwrap();
    assert!(memory.is_empty());
    assert_eq!(bytes.raw("larder:ada"), None);
}

#[tokio::test]
async fn a_level_that_fails_is_an_error_and_the_others_are_done() {
    for kept in [0, 100] {
        let (front, back) = (Fake::<str, Bytes>::new(), FakeBytes::new());
        let cache = Cache::new(front.clone()).chain(Cache::new(back.clone())).stale_if_error(kept * SECOND);
        let cache = cache.clock(MockClock::new());
        cache.insert("ada", "old".into()).await.unwrap();
        back.fail(&[Operation::Write, Operation::Remove]);
        let error = cache.expire("ada").await.unwrap_err();
        assert_eq!(error.level(), Some("L2 FakeBytes"));
        assert_eq!(cache.get_now("ada"), None);
    }
}

#[tokio::test]
async fn tags_and_validators_stay_with_it() {
    for cache in [
        Cache::<str, Bytes, _, _>::new(Fake::new()).stale_if_error(100 * SECOND).boxed(),
        Cache::<str, Bytes, _, _>::new(FakeBytes::new()).stale_if_error(100 * SECOND).boxed(),
    ] {
        cache.insert_with("ada", "old".into(), |entry| entry.tag("people").etag("v1")).await.unwrap();
        cache.expire("ada").await.unwrap();
        let found = cache.with(CallOptions::allow_stale).lookup("ada").await.unwrap().unwrap();
        assert_eq!((&*found.tags()[0], found.entry().etag()), ("people", Some("v1")));
    }
}

#[tokio::test]
async fn a_cancelled_expire_that_has_begun_is_completed() {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let cache =
        Cache::<str, Bytes, _, _>::new(back.clone()).stale_if_error(100 * SECOND).clock(clock).boxed();
    cache.insert("ada", "old".into()).await.unwrap();
    back.gate(Operation::Write).close();
    let expire = tokio::spawn({
        let cache = cache.clone();
        async move { cache.expire("ada").await }
    });
    back.gate(Operation::Write).reached(2).await;
    expire.abort();
    settle().await;
    back.gate(Operation::Write).open();
    settle().await;
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), Some("old".into()));
}

/// A clock whose quick time lags behind its exact one, as those of real clocks do.
struct Lagging(MockClock);

impl Clock for Lagging {
    fn now(&self) -> Time {
        self.0.now().before(Duration::from_millis(5))
    }
    fn now_exact(&self) -> Time {
        self.0.now()
    }
    fn wall(&self) -> std::time::SystemTime {
        self.0.wall()
    }
    fn sleep(&self, span: Duration) -> larder_core::Sleep {
        self.0.sleep(span)
    }
    fn on_tick(&self, job: std::sync::Weak<dyn larder_core::Tick>) {
        self.0.on_tick(job);
    }
}

#[tokio::test]
async fn reads_miss_at_once_on_a_clock_that_lags() {
    let cache = Cache::new(Fake::<str, u32>::new())
        .ttl(60 * SECOND)
        .stale_if_error(100 * SECOND)
        .clock(Lagging(MockClock::new()));
    cache.insert("ada", 36).await.unwrap();
    cache.expire("ada").await.unwrap();
    assert_eq!((cache.get_now("ada"), cache.get("ada").await.unwrap()), (None, None));
    assert_eq!(cache.with(CallOptions::allow_stale).get_now("ada"), Some(36));
}

/// Memory in which something happens right after a read, as another thread could have it.
struct Hooked {
    store: Fake<str, u32>,
    after_read: Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>,
}

impl Hooked {
    fn read(&self) {
        let hook = self.after_read.lock().take();
        if let Some(hook) = hook {
            hook();
        }
    }
}

impl Store<str> for Hooked {
    type Value = u32;

    async fn get(&self, key: &str) -> Result<Option<Entry<u32>>> {
        let held = self.store.get(key).await;
        self.read();
        held
    }
    async fn insert(&self, key: &str, entry: Entry<u32>) -> Result<()> {
        self.store.insert(key, entry).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.store.remove(key).await
    }
    fn get_now(&self, key: &str) -> Poll<Option<Entry<u32>>> {
        let held = self.store.get_now(key);
        self.read();
        held
    }
    async fn clear(&self) -> Result<Cleared> {
        self.store.clear().await
    }
    fn sweep(&self, now: Time) {
        self.store.sweep(now);
    }
    fn usage(&self) -> Option<Usage> {
        self.store.usage()
    }
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
}

type Pending = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

#[tokio::test]
async fn what_is_inserted_while_an_expire_reads_is_not_replaced_by_what_that_has_read() {
    let hook = Arc::default();
    let store = Hooked { store: Fake::new(), after_read: Arc::clone(&hook) };
    let cache = Cache::new(store).ttl(60 * SECOND).stale_if_error(100 * SECOND).clock(MockClock::new());
    cache.insert("ada", 35).await.unwrap();
    let pending: Arc<Mutex<Option<Pending>>> = Arc::default();
    *hook.lock() = Some(Box::new({
        let (cache, pending) = (cache.clone(), Arc::clone(&pending));
        move || {
            let mut insert: Pending = Box::pin(async move { cache.insert("ada", 36).await });
            if insert.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                *pending.lock() = Some(insert);
            }
        }
    }));

    cache.expire("ada").await.unwrap();
    let insert = pending.lock().take();
    if let Some(insert) = insert {
        insert.await.unwrap();
    }

    assert_eq!(cache.get("ada").await.unwrap(), Some(36));
}

#[tokio::test]
async fn what_is_removed_right_after_a_caller_saw_it_kept_serves_nobody_who_comes_later() {
    let hook = Arc::default();
    let store = Hooked { store: Fake::new(), after_read: Arc::clone(&hook) };
    let clock = MockClock::new();
    let cache = Cache::new(store).ttl(60 * SECOND).stale_if_error(100 * SECOND).clock(clock.clone()).boxed();
    cache.insert("ada", 36).await.unwrap();
    clock.advance(60 * SECOND);
    *hook.lock() = Some(Box::new({
        let cache = cache.clone();
        move || {
            let mut remove: Pending = Box::pin(async move { cache.remove("ada").await });
            assert!(remove.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
    }));
    let failing: Loader<u32, &str> = Loader::failing("down").gated();
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let (cache, load) = (cache.clone(), failing.load());
            tokio::spawn(async move { cache.get_or_load("ada", load).await })
        })
        .collect();
    settle().await;
    failing.gate().open();
    for caller in callers {
        assert!(caller.await.unwrap().is_err());
    }
}
