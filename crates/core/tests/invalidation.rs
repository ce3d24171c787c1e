//! Promise 2: no value whose load, promotion or refresh began before a `remove`, `insert` or `clear` is stored or
//! served after that call returned, in any level.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Cache, Capabilities, Cleared, Error, Operation, Result};
use larder_testkit::{Fake, FakeBytes, Gate, Loader, MockClock, Recorder, settle};
use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

struct Two {
    front: Fake<str, Bytes>,
    back: FakeBytes,
    clock: MockClock,
    events: Recorder,
    cache: Cache<str, Bytes>,
}

/// Memory in front of a slow store of bytes.
fn two_levels() -> Two {
    let (front, back) = (Fake::new(), FakeBytes::new());
    let (clock, events) = (MockClock::new(), Recorder::new());
    let cache = Cache::new(front.clone())
        .ttl(10 * SECOND)
        .chain(Cache::new(back.clone()))
        .clock(clock.clone())
        .observer(events.clone())
        .boxed();
    Two { front, back, clock, events, cache }
}

impl Two {
    async fn assert_holds(&self, expected: Option<&'static str>) {
        let expected = expected.map(Bytes::from);
        assert_eq!(self.cache.get("ada").await.unwrap(), expected);
        // And from the second level alone.
        self.clock.advance(10 * SECOND);
        assert_eq!(self.cache.get("ada").await.unwrap(), expected);
    }
}

fn spawn_load(two: &Two, loader: &Loader<Bytes>) -> tokio::task::JoinHandle<Bytes> {
    let (cache, load) = (two.cache.clone(), loader.load());
    tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() })
}

#[tokio::test]
async fn a_remove_during_a_load_wins_and_later_callers_load_anew() {
    let two = two_levels();
    let loader: Loader<Bytes> = Loader::value("old".into()).then_value("new".into()).gated();
    let before = spawn_load(&two, &loader);
    loader.gate().reached(1).await;

    two.cache.remove("ada").await.unwrap();
    let after = spawn_load(&two, &loader);
    loader.gate().reached(2).await;
    loader.gate().open();

    assert_eq!(before.await.unwrap(), "old");
    assert_eq!(after.await.unwrap(), "new");
    two.assert_holds(Some("new")).await;
    assert_eq!((two.events.overtaken(), two.cache.stats().overtaken), (1, 1));
}

#[tokio::test]
async fn an_insert_during_a_load_wins() {
    let two = two_levels();
    let loader: Loader<Bytes> = Loader::value("old".into()).gated();
    let load = spawn_load(&two, &loader);
    loader.gate().reached(1).await;

    two.cache.insert("ada", "new".into()).await.unwrap();
    loader.gate().open();

    assert_eq!(load.await.unwrap(), "old");
    two.assert_holds(Some("new")).await;
}

#[tokio::test]
async fn a_clear_during_a_load_wins() {
    let two = two_levels();
    let loader: Loader<Bytes> = Loader::value("old".into()).gated();
    let load = spawn_load(&two, &loader);
    loader.gate().reached(1).await;

    two.cache.clear().await.unwrap();
    loader.gate().open();

    assert_eq!(load.await.unwrap(), "old");
    two.assert_holds(None).await;
}

#[tokio::test]
async fn a_remove_waits_for_the_write_that_it_must_undo() {
    let two = two_levels();
    let write = two.back.gate(Operation::Write);
    write.close();
    let load = spawn_load(&two, &Loader::value("old".into()));
    write.reached(1).await;

    // The load was checked and is writing to the second level; the remove must not pass it.
    let cache = two.cache.clone();
    let remove = tokio::spawn(async move { cache.remove("ada").await });
    settle().await;
    assert!(!remove.is_finished());
    write.open();

    remove.await.unwrap().unwrap();
    assert_eq!(load.await.unwrap(), "old");
    two.assert_holds(None).await;
}

#[tokio::test]
async fn a_clear_waits_for_the_writes_that_it_must_undo() {
    let two = two_levels();
    let write = two.back.gate(Operation::Write);
    write.close();
    let load = spawn_load(&two, &Loader::value("old".into()));
    write.reached(1).await;

    let cache = two.cache.clone();
    let clear = tokio::spawn(async move { cache.clear().await });
    settle().await;
    assert!(!clear.is_finished());
    write.open();

    clear.await.unwrap().unwrap();
    assert_eq!(load.await.unwrap(), "old");
    two.assert_holds(None).await;
}

/// The reader has the old bytes in its hands when the value is removed from both levels.
#[tokio::test]
async fn a_promotion_that_a_remove_overtook_is_not_stored() {
    for by_load in [false, true] {
        let two = two_levels();
        two.cache.insert("ada", "old".into()).await.unwrap();
        two.clock.advance(10 * SECOND);
        // Stopped after the read has begun; the fake reads when it passes.
        let removal = two.back.gate(Operation::Remove);
        removal.close();
        let cache = two.cache.clone();
        let remove = tokio::spawn(async move { cache.remove("ada").await });
        removal.reached(1).await;

        // Begun after the remove, and yet reads what that has not removed so far.
        let reader = two.cache.clone();
        let found = if by_load {
            let load = Loader::<Bytes>::value("loaded".into()).load();
            let read = tokio::spawn(async move { reader.get_or_load("ada", load).await.unwrap() });
            settle().await;
            removal.open();
            read.await.unwrap()
        } else {
            let read = tokio::spawn(async move { reader.get("ada").await.unwrap().unwrap() });
            settle().await;
            removal.open();
            read.await.unwrap()
        };

        remove.await.unwrap().unwrap();
        assert_eq!(found, "old");
        two.assert_holds(None).await;
    }
}

#[tokio::test]
async fn a_reload_that_a_remove_overtook_is_not_stored() {
    let clock = MockClock::new();
    let cache = Cache::new(Fake::<str, Bytes>::new()).ttl(SECOND).stale(SECOND).clock(clock.clone());
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(SECOND);
    let loader: Loader<Bytes> = Loader::value("reloaded".into()).gated();
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "old");
    loader.gate().reached(1).await;

    cache.remove("ada").await.unwrap();
    loader.gate().open();
    settle().await;

    assert_eq!(cache.get("ada").await.unwrap(), None);
}

#[tokio::test]
async fn in_memory_alone_a_remove_during_a_load_wins_as_well() {
    for clear in [false, true] {
        let cache = Cache::new(Fake::<str, Bytes>::new());
        let loader: Loader<Bytes> = Loader::value("old".into()).gated();
        let load = tokio::spawn({
            let (cache, load) = (cache.clone(), loader.load());
            async move { cache.get_or_load("ada", load).await.unwrap() }
        });
        loader.gate().reached(1).await;
        if clear {
            cache.clear().await.unwrap();
        } else {
            cache.remove("ada").await.unwrap();
        }
        loader.gate().open();
        assert_eq!(load.await.unwrap(), "old");
        assert_eq!(cache.get("ada").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_remove_that_a_level_refuses_is_an_error_and_the_other_levels_are_done() {
    let two = two_levels();
    two.cache.insert("ada", "old".into()).await.unwrap();
    two.back.fail(&[Operation::Remove]);

    let error = two.cache.remove("ada").await.unwrap_err();

    assert_eq!(error.level(), Some("L2 FakeBytes"));
    assert!(two.front.is_empty());
    assert_eq!(two.events.failures()[0].operation, Operation::Remove);
}

#[tokio::test]
async fn a_cancelled_remove_that_has_begun_is_completed() {
    let two = two_levels();
    two.cache.insert("ada", "old".into()).await.unwrap();
    let removal = two.back.gate(Operation::Remove);
    removal.close();
    let cache = two.cache.clone();
    let remove = tokio::spawn(async move { cache.remove("ada").await });
    removal.reached(1).await;

    remove.abort();
    settle().await;
    removal.open();
    settle().await;

    two.assert_holds(None).await;
}

/// Real threads, so that the checks meet in every order: whatever was inserted last is what is read.
#[test]
fn no_load_survives_an_insert_that_returned() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let cache = Cache::<u64, u64, _, _>::new(Fake::new()).chain(Cache::new(Fake::remote())).boxed();
        for round in 0..1_500_u64 {
            let key = round % 3;
            // Old data, loaded by several callers while the row changes.
            let loads: Vec<_> = (0..3)
                .map(|_| {
                    let cache = cache.clone();
                    tokio::spawn(async move { cache.get_or_insert_with(&key, async || u64::MAX).await })
                })
                .collect();
            if round % 2 == 0 {
                cache.insert(&key, round).await.unwrap();
                assert_eq!(cache.get(&key).await.unwrap(), Some(round), "round {round}");
                for load in loads {
                    load.await.unwrap();
                }
                assert_eq!(cache.get(&key).await.unwrap(), Some(round), "round {round}, afterwards");
            }
            cache.remove(&key).await.unwrap();
        }
    });
}

/// Reads at once and answers late: the old bytes are on their way while things happen.
#[derive(Clone)]
struct Late(FakeBytes, Gate);

impl ByteStore for Late {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let bytes = self.0.get(key).await;
        self.1.pass().await;
        bytes
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.0.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(key).await
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.clear(prefix).await
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear()
    }
}

#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Remove,
    Insert,
    Clear,
}

/// The race that every cache of two levels has: the old bytes were read, the key changes, and then they arrive.
#[tokio::test]
async fn what_was_read_before_the_key_changed_is_not_copied_up_after_it() {
    for meanwhile in [Meanwhile::Remove, Meanwhile::Insert, Meanwhile::Clear] {
        for by_load in [false, true] {
            let (back, clock) = (Late(FakeBytes::new(), Gate::new()), MockClock::new());
            let cache = Cache::new(Fake::<str, Bytes>::new())
                .ttl(10 * SECOND)
                .chain(Cache::new(back.clone()).ttl(100 * SECOND))
                .clock(clock.clone())
                .boxed();
            cache.insert("ada", "old".into()).await.unwrap();
            clock.advance(10 * SECOND);
            back.1.close();
            let reader = tokio::spawn({
                let cache = cache.clone();
                async move {
                    if by_load {
                        cache.get_or_load("ada", async || Ok::<_, Error>("loaded".into())).await.unwrap()
                    } else {
                        cache.get("ada").await.unwrap().unwrap()
                    }
                }
            });
            back.1.reached(1).await;

            let expected = match meanwhile {
                Meanwhile::Remove => cache.remove("ada").await.map(|()| None).unwrap(),
                Meanwhile::Clear => cache.clear().await.map(|()| None).unwrap(),
                Meanwhile::Insert => {
                    cache.insert("ada", "new".into()).await.unwrap();
                    Some(Bytes::from("new"))
                }
            };
            back.1.open();

            assert_eq!(reader.await.unwrap(), "old", "{meanwhile:?}");
            assert_eq!(cache.get("ada").await.unwrap(), expected, "{meanwhile:?}, by load: {by_load}");
        }
    }
}

#[tokio::test]
async fn a_copy_does_not_replace_what_was_loaded_meanwhile() {
    let (front, back, clock) =
        (Fake::<str, Bytes>::new(), Late(FakeBytes::new(), Gate::new()), MockClock::new());
    let cache = Cache::new(front.clone())
        .ttl(SECOND)
        .stale(1_000 * SECOND)
        .chain(Cache::new(back.clone()).ttl(10 * SECOND).stale(1_000 * SECOND))
        .clock(clock.clone())
        .boxed();
    cache.insert("ada", "old".into()).await.unwrap();
    clock.advance(20 * SECOND);
    Cache::new(front).remove("ada").await.unwrap();
    let loader: Loader<Bytes> = Loader::value("new".into()).gated();
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "old", "stale behind, served at once");
    loader.gate().reached(1).await;

    // The reader has the old bytes on their way while the load ends and writes.
    back.1.close();
    let reader = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get("ada").await.unwrap() }
    });
    back.1.reached(2).await;
    loader.gate().open();
    settle().await;
    back.1.open();

    assert_eq!(reader.await.unwrap(), Some("old".into()));
    assert_eq!(cache.get_now("ada"), Some("new".into()));
}
