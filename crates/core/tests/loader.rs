//! A cache that knows how its values are loaded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{Cache, Chain, Level, LoadContext, LoadError, Loader, Loading, Native, PerLevel};
use larder_testkit::{Fake, MockClock, Recorder, settle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Returns 1, 2, 3 .. and fails for the key `fail`.
fn counting<S, C>(cache: Cache<str, u32, S, C>) -> Loading<str, u32, String, S, C>
where
    S: Send + Sync + 'static,
    C: larder_core::Holds<S, str, u32>,
{
    let count = AtomicU32::new(0);
    cache.loader(move |cx: LoadContext<str, u32>| {
        let number = count.fetch_add(1, SeqCst) + 1;
        async move { if cx.key() == "fail" { Err(format!("{number}")) } else { Ok(number) } }
    })
}

type Two = Chain<Level<Fake<str, u32>, Native>, Level<Fake<str, u32>, Native>>;

fn chained() -> Cache<str, u32, Two> {
    Cache::new(Fake::new()).chain(Cache::new(Fake::remote())).clock(MockClock::new())
}

#[tokio::test]
async fn get_loads_once_and_each_key_by_itself() {
    let numbers = counting(Cache::new(Fake::new()));
    assert_eq!(numbers.get("ada").await.unwrap(), 1);
    assert_eq!(numbers.get("ada").await.unwrap(), 1);
    assert_eq!(numbers.get("bob").await.unwrap(), 2);
    assert!(matches!(numbers.get("fail").await, Err(LoadError::Load(error)) if *error == "3"));
}

// FusionCache 14.
#[tokio::test]
async fn the_load_is_told_its_key_and_what_it_replaces() {
    let clock = MockClock::new();
    let log = Cache::new(Fake::<str, String>::new())
        .ttl(SECOND)
        .stale_if_error(SECOND)
        .clock(clock.clone())
        .loader(async |cx: LoadContext<str, String>| {
            let old = cx.previous().map(larder_core::Previous::into_value).unwrap_or_default();
            Ok::<_, String>(format!("{old}{},", cx.key()))
        });
    assert_eq!(log.get("ada").await.unwrap(), "ada,");
    clock.advance(SECOND);
    assert_eq!(log.get("ada").await.unwrap(), "ada,ada,");
}

#[tokio::test]
async fn a_refresh_loads_whatever_there_is_and_stores_what_it_loaded() {
    let numbers = counting(chained());
    assert_eq!(numbers.get("ada").await.unwrap(), 1);
    assert_eq!(numbers.refresh("ada").await.unwrap(), 2);
    assert_eq!(numbers.get("ada").await.unwrap(), 2);
    assert_eq!(numbers.with(|call| call.skip_read(0)).cache().get("ada").await.unwrap(), Some(2));
}

#[tokio::test]
async fn a_refresh_that_fails_is_an_error_and_leaves_what_is_there() {
    let numbers = counting(chained());
    numbers.insert("fail", 36).await.unwrap();
    assert_eq!(numbers.refresh("fail").await.unwrap_err().as_load().unwrap(), "1");
    assert_eq!(numbers.get("fail").await.unwrap(), 36);
}

#[tokio::test]
async fn all_else_is_done_as_at_its_cache_whose_own_get_does_not_load() {
    let numbers = counting(Cache::new(Fake::new()));
    assert_eq!(numbers.cache().get("ada").await.unwrap(), None);
    numbers.insert("ada", 36).await.unwrap();
    assert_eq!(numbers.get_now("ada"), Some(36));
    assert_eq!(numbers.get("ada").await.unwrap(), 36);
    numbers.remove("ada").await.unwrap();
    assert_eq!(numbers.get("ada").await.unwrap(), 1);
    numbers.clear().await.unwrap();
    assert_eq!(numbers.get_or_load("ada", async || Ok::<_, String>(7)).await.unwrap(), 7);
    assert_eq!(numbers.stats().loads, 2);
}

#[tokio::test]
async fn handles_clones_and_the_boxed_form_share_cache_and_loader() {
    let numbers = counting(chained());
    let struct_field: Loading<str, u32, String> = numbers.clone().boxed();
    let aged = numbers.with(|call| call.ttl(5 * SECOND));
    assert_eq!(aged.get("ada").await.unwrap(), 1);
    assert_eq!(numbers.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(5 * SECOND));
    assert_eq!(struct_field.get("ada").await.unwrap(), 1);
    assert_eq!(struct_field.clone().refresh("ada").await.unwrap(), 2);
    assert_eq!(numbers.get("ada").await.unwrap(), 2);
    assert_eq!(struct_field.with(larder_core::CallOptions::force_refresh).get("ada").await.unwrap(), 3);
    assert_eq!(numbers.stats().loads, 3);
    assert_eq!(format!("{numbers:?}"), format!("{struct_field:?}"));
}

#[tokio::test]
async fn a_stale_value_is_reloaded_with_it_and_a_failure_is_told() {
    let (clock, events) = (MockClock::new(), Recorder::new());
    let cache =
        Cache::new(Fake::new()).ttl(SECOND).stale(SECOND).clock(clock.clone()).observer(events.clone());
    let numbers = counting(cache);
    for key in ["ada", "fail"] {
        numbers.insert(key, 36).await.unwrap();
    }
    clock.advance(SECOND);
    for key in ["ada", "fail"] {
        assert_eq!(numbers.get(key).await.unwrap(), 36);
        settle().await;
    }
    assert_eq!((numbers.get("ada").await.unwrap(), events.failed_reloads()), (1, 1));
}

/// What a user writes by hand, with a cache of its own inside.
struct Squares {
    inner: Cache<u64, u64>,
    calls: Arc<AtomicU32>,
}

impl Loader<u64, u64> for Squares {
    type Error = LoadError<String>;

    async fn load(&self, cx: LoadContext<u64, u64>) -> Result<u64, Self::Error> {
        self.calls.fetch_add(1, SeqCst);
        let key = *cx.key();
        self.inner
            .get_or_load(&key, async move || key.checked_mul(key).ok_or_else(|| "too large".into()))
            .await
    }
}

#[tokio::test]
async fn a_loader_that_is_a_type_loads_with_what_it_holds() {
    let (inner, calls) = (Cache::new(Fake::new()).boxed(), Arc::new(AtomicU32::new(0)));
    let squares =
        Cache::new(Fake::new()).loader_from(Squares { inner: inner.clone(), calls: Arc::clone(&calls) });
    for _ in 0..2 {
        assert_eq!(squares.get(&12).await.unwrap(), 144);
    }
    let error = squares.boxed().get(&u64::MAX).await.unwrap_err();
    assert_eq!(error.as_load().and_then(LoadError::as_load).unwrap(), "too large");
    assert_eq!((calls.load(SeqCst), inner.stats().loads), (2, 2));
}

#[tokio::test]
async fn callers_at_the_same_time_share_a_load_and_who_refreshes_gets_a_later_one() {
    let (clock, gate) = (MockClock::new(), larder_testkit::Gate::closed());
    let count = AtomicU32::new(0);
    let numbers = Cache::<str, u32, _, _>::new(Fake::new()).clock(clock.clone()).loader({
        let gate = gate.clone();
        move |_| {
            let (number, gate) = (count.fetch_add(1, SeqCst) + 1, gate.clone());
            async move {
                gate.pass().await;
                Ok::<_, String>(number)
            }
        }
    });
    let spawn = |numbers: &Loading<str, u32, String, _, Native>| {
        let numbers: Loading<str, u32, String, Fake<str, u32>, Native> = numbers.clone();
        tokio::spawn(async move { numbers.get("ada").await.unwrap() })
    };
    let early = [spawn(&numbers), spawn(&numbers)];
    gate.reached(1).await;
    clock.advance(SECOND);
    let late = tokio::spawn({
        let numbers = numbers.clone();
        async move { numbers.refresh("ada").await.unwrap() }
    });
    gate.reached(2).await;
    let joins_the_newer = spawn(&numbers);
    settle().await;
    gate.open();
    for caller in early {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!((late.await.unwrap(), joins_the_newer.await.unwrap()), (2, 2));
    assert_eq!((numbers.get("ada").await.unwrap(), numbers.stats().overtaken), (2, 1));
}

#[test]
fn a_loader_may_come_after_every_level_form() {
    // Only that it compiles: the type of a struct field, and that of a static chain.
    fn field(loading: Loading<str, u32, String, Two, PerLevel>) -> Loading<str, u32, String> {
        loading.boxed()
    }
    assert!(format!("{:?}", field(counting(chained()))).contains("L2 Fake"));
}
