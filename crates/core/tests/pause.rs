//! A cache that leaves its levels alone for a while, and goes on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, CallOptions, Holds, Operation, Raw, Wire};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, settle};
use std::collections::HashMap;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

macro_rules! in_all_forms {
    ($name:ident, |$cache:ident, $clock:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check<S, C>($cache: Cache<str, Bytes, S, C>, $clock: MockClock)
            where
                S: Send + Sync + 'static,
                C: Holds<S, str, Bytes>,
            {
                let $cache = $cache
                    .ttl(60 * SECOND)
                    .stale(30 * SECOND)
                    .stale_if_error(600 * SECOND)
                    .tags(|key, _| vec![key.to_owned()])
                    .clock($clock.clone());
                $body
            }

            #[tokio::test]
            async fn in_memory() {
                check(Cache::new(Fake::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_bytes() {
                check(Cache::new(FakeBytes::new()), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_chain() {
                check(Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new())), MockClock::new()).await;
            }

            #[tokio::test]
            async fn in_a_boxed_chain() {
                let cache = Cache::new(Fake::new()).chain(Cache::new(FakeBytes::new()));
                check(cache.boxed(), MockClock::new()).await;
            }
        }
    };
}

/// A chain whose stores a test can look into.
fn chain(memory: &Fake<str, Bytes>, far: &FakeBytes) -> Cache<str, Bytes> {
    Cache::new(memory.clone()).chain(Cache::new(far.clone())).ttl(60 * SECOND).boxed()
}

in_all_forms!(every_way_to_read_misses_while_reads_are_paused, |cache, _clock| {
    cache.insert("ada", "36".into()).await.unwrap();
    cache.pause_reads();
    assert_eq!(cache.get("ada").await.unwrap(), None);
    assert_eq!(cache.get_now("ada"), None);
    assert!(cache.lookup("ada").await.unwrap().is_none());
    assert!(!cache.contains("ada").await.unwrap());
    assert_eq!(cache.get_many(["ada", "bob"]).await.all().unwrap(), [None, None]);
    assert_eq!(cache.with(CallOptions::allow_stale).get("ada").await.unwrap(), None);
    assert_eq!(cache.blocking().get_now("ada"), None);
    let stats = cache.stats();
    assert_eq!((stats.hits(), stats.misses()), (0, 5));

    cache.resume_reads();
    assert_eq!(cache.get("ada").await.unwrap(), Some("36".into()));
});

in_all_forms!(every_call_loads_while_reads_are_paused_and_what_it_loads_is_stored, |cache, _clock| {
    cache.insert("ada", "35".into()).await.unwrap();
    cache.pause_reads();
    let loader: Loader<Bytes> = Loader::value("36".into()).then_value("37".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "36");
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "37");
    let many = |names: Vec<String>| async move {
        Ok::<_, ()>(names.into_iter().map(|name| (name, Bytes::from("41"))).collect::<HashMap<_, _>>())
    };
    assert_eq!(cache.load_many(["ada", "bob"], many).await.all().unwrap(), vec![Some("41".into()); 2]);
    assert_eq!(cache.stats().hits(), 0);

    cache.resume_reads();
    assert_eq!(cache.get("ada").await.unwrap(), Some("41".into()));
    assert_eq!(cache.get("bob").await.unwrap(), Some("41".into()));
});

in_all_forms!(nothing_old_is_served_while_reads_are_paused, |cache, clock| {
    let cache = cache.fallback(|_| "made up".into());
    cache.insert("ada", "36".into()).await.unwrap();
    clock.advance(70 * SECOND);
    cache.pause_reads();
    let loader: Loader<Bytes, &str> = Loader::failing("down").then_value("37".into());
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "made up");
    // Not left alone after the failure either.
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "37");
    assert_eq!(loader.loads(), 2);
});

in_all_forms!(a_remembered_error_is_not_an_answer_while_reads_are_paused, |cache, _clock| {
    let cache = cache.cache_errors(60 * SECOND, |_: &&str| true);
    let loader: Loader<Bytes, &str> = Loader::failing("down");
    let load = || async { cache.get_or_load("ada", loader.load()).await };
    load().await.unwrap_err();
    load().await.unwrap_err();
    assert_eq!(loader.loads(), 1);
    cache.pause_reads();
    load().await.unwrap_err();
    assert_eq!(loader.loads(), 2);
});

in_all_forms!(an_error_is_not_remembered_while_writes_are_paused, |cache, _clock| {
    let cache = cache.cache_errors(60 * SECOND, |_: &&str| true);
    let loader: Loader<Bytes, &str> = Loader::failing("down").then_value("36".into());
    cache.pause_writes();
    cache.get_or_load("ada", loader.load()).await.unwrap_err();
    cache.resume_writes();
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "36");
});

in_all_forms!(loads_of_one_key_are_one_while_reads_and_writes_are_paused, |cache, _clock| {
    cache.pause_reads();
    cache.pause_writes();
    let loader: Loader<Bytes> = Loader::value("36".into()).gated();
    let load = || {
        let (cache, load) = (cache.clone(), loader.load());
        tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() })
    };
    let first = load();
    loader.gate().reached(1).await;
    let second = load();
    settle().await;
    loader.gate().open();
    assert_eq!((first.await.unwrap(), second.await.unwrap()), ("36".into(), "36".into()));
    assert_eq!((loader.loads(), cache.stats().joins), (1, 1));
});

in_all_forms!(nothing_is_stored_while_writes_are_paused, |cache, _clock| {
    cache.pause_writes();
    let loader: Loader<Bytes> = Loader::value("36".into());
    for loads in 1..3 {
        assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "36");
        assert_eq!(loader.loads(), loads);
    }
    let many = |names: Vec<String>| async move {
        Ok::<_, ()>(names.into_iter().map(|name| (name, Bytes::from("41"))).collect::<HashMap<_, _>>())
    };
    cache.load_many(["ada", "bob"], many).await.all().unwrap();
    cache.insert_many([("eve", "29".into())]).await.all().unwrap();
    assert_eq!(cache.stats().levels.iter().map(|level| level.writes).sum::<u64>(), 0);

    cache.resume_writes();
    assert_eq!(cache.get_many(["ada", "bob", "eve"]).await.all().unwrap(), [None, None, None]);
    cache.get_or_load("ada", loader.load()).await.unwrap();
    assert_eq!(cache.get("ada").await.unwrap(), Some("36".into()));
});

in_all_forms!(what_is_there_is_served_while_writes_are_paused, |cache, _clock| {
    cache.insert("ada", "36".into()).await.unwrap();
    cache.pause_writes();
    assert_eq!(cache.get("ada").await.unwrap(), Some("36".into()));
});

in_all_forms!(what_was_replaced_or_removed_does_not_come_back, |cache, _clock| {
    let keys = ["inserted", "together", "removed", "expired", "tagged", "left"];
    cache.insert_many(keys.map(|key| (key, Bytes::from("old")))).await.all().unwrap();
    cache.pause_writes();
    cache.pause_reads();
    cache.insert("inserted", "new".into()).await.unwrap();
    cache.insert_many([("together", "new".into())]).await.all().unwrap();
    cache.remove("removed").await.unwrap();
    cache.expire("expired").await.unwrap();
    cache.invalidate_tag("tagged").await.unwrap();
    cache.resume_reads();
    cache.resume_writes();
    let left = cache.get_many(keys).await.all().unwrap();
    assert_eq!(left, [None, None, None, None, None, Some("old".into())]);

    cache.pause_writes();
    cache.clear().await.unwrap();
    cache.resume_writes();
    assert_eq!(cache.get("left").await.unwrap(), None);
});

in_all_forms!(a_load_that_ends_in_a_pause_is_not_stored, |cache, _clock| {
    let loader: Loader<Bytes> = Loader::value("36".into()).gated();
    let load = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    loader.gate().reached(1).await;
    cache.pause_writes();
    loader.gate().open();
    assert_eq!(load.await.unwrap(), "36");
    cache.resume_writes();
    assert!(!cache.contains("ada").await.unwrap());
});

in_all_forms!(an_insert_in_a_pause_overtakes_a_load_that_ends_after_it, |cache, _clock| {
    let loader: Loader<Bytes> = Loader::value("old".into()).gated();
    let load = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    loader.gate().reached(1).await;
    cache.pause_writes();
    cache.insert("ada", "new".into()).await.unwrap();
    cache.resume_writes();
    loader.gate().open();
    assert_eq!(load.await.unwrap(), "old");
    assert!(!cache.contains("ada").await.unwrap());
});

in_all_forms!(clones_other_policies_and_the_boxed_form_share_the_pauses, |cache, _clock| {
    let others = [cache.clone().boxed(), cache.clone().ttl(SECOND).boxed()];
    let loading = cache.clone().loader(|_| async { Ok::<_, ()>(Bytes::from("36")) });
    cache.blocking().cache().pause_reads();
    loading.pause_writes();
    for handle in others.iter().chain([&cache.clone().boxed(), &loading.cache().clone().boxed()]) {
        assert!(!handle.is_reading() && !handle.is_writing());
    }
    assert!(format!("{cache:?}").starts_with("Cache (unnamed), reads and writes paused\n"), "{cache:?}");
    others[0].resume_reads();
    others[1].resume_writes();
    assert!(cache.is_reading() && cache.is_writing());
});

#[tokio::test]
async fn no_level_is_asked_while_reads_are_paused() {
    let (memory, far) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    let cache = chain(&memory, &far);
    cache.pause_reads();
    cache.get("ada").await.unwrap();
    cache.get_or_load("ada", Loader::<Bytes>::value("36".into()).load()).await.unwrap();
    assert_eq!((memory.calls(), far.calls()), (vec![Operation::Write], vec![Operation::Write]));
}

#[tokio::test]
async fn nothing_is_copied_up_while_writes_are_paused() {
    let (memory, far) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    chain(&Fake::new(), &far).insert("ada", "36".into()).await.unwrap();
    let cache = chain(&memory, &far);
    cache.pause_writes();
    assert_eq!(cache.get("ada").await.unwrap(), Some("36".into()));
    assert_eq!(memory.count(Operation::Write), 0);
    cache.resume_writes();
    assert_eq!(cache.get("ada").await.unwrap(), Some("36".into()));
    assert_eq!(memory.count(Operation::Write), 1);
}

#[tokio::test]
async fn pausing_one_cache_leaves_the_others_alone() {
    let paused = Cache::new(Fake::<str, u32>::new());
    let other = Cache::new(Fake::<str, u32>::new());
    other.insert("ada", 36).await.unwrap();
    paused.pause_reads();
    assert_eq!(other.get_now("ada"), Some(36));
    drop(paused);
    assert_eq!(other.get_now("ada"), Some(36));
}

#[tokio::test]
async fn who_joins_a_load_after_the_pause_is_not_served_what_that_read_before() {
    let (memory, far) = (Fake::<str, Bytes>::new(), FakeBytes::new());
    chain(&Fake::new(), &far).insert("ada", "old".into()).await.unwrap();
    let cache = chain(&memory, &far);
    far.gate(Operation::Read).close();
    let loader: Loader<Bytes> = Loader::value("new".into());
    let load = || {
        let (cache, load) = (cache.clone(), loader.load());
        tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() })
    };
    let before = load();
    far.gate(Operation::Read).reached(1).await;
    cache.pause_reads();
    let after = load();
    settle().await;
    far.gate(Operation::Read).open();
    assert_eq!((before.await.unwrap(), after.await.unwrap()), ("old".into(), "new".into()));
}

#[tokio::test]
async fn who_joins_a_reload_after_the_pause_waits_for_its_end() {
    let (clock, far) = (MockClock::new(), FakeBytes::new());
    let cache = chain(&Fake::new(), &far).stale(60 * SECOND).clock(clock.clone());
    chain(&Fake::new(), &far)
        .stale(60 * SECOND)
        .clock(clock.clone())
        .insert("ada", "old".into())
        .await
        .unwrap();
    clock.advance(70 * SECOND);
    let loader: Loader<Bytes> = Loader::value("new".into()).gated();
    // Served what is stale, while it is reloaded.
    assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), "old");
    cache.pause_reads();
    let after = tokio::spawn({
        let (cache, load) = (cache.clone(), loader.load());
        async move { cache.get_or_load("ada", load).await.unwrap() }
    });
    settle().await;
    loader.gate().open();
    assert_eq!((after.await.unwrap(), loader.loads()), ("new".into(), 1));
}

#[tokio::test]
async fn an_insert_that_waited_for_its_turn_minds_the_pause() {
    let far = FakeBytes::new();
    let cache: Cache<str, Bytes> = Cache::new(far.clone()).boxed();
    far.gate(Operation::Write).close();
    let insert = |value: &'static str| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.insert("ada", value.into()).await.unwrap() })
    };
    let first = insert("35");
    far.gate(Operation::Write).reached(1).await;
    let second = insert("36");
    settle().await;
    cache.pause_writes();
    far.gate(Operation::Write).open();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!((far.count(Operation::Write), far.keys().len()), (1, 0));
}

#[tokio::test]
async fn what_is_imported_in_a_pause_counts_as_expired() {
    let wire = Wire::new(larder::MessagePack);
    let old = Cache::new(larder::Memory::<str, u32>::new(10));
    old.insert("ada", 36).await.unwrap();
    let mut snapshot = Vec::new();
    old.export(&wire, &mut snapshot).unwrap();
    let cache = Cache::new(larder::Memory::<str, u32>::new(10));
    cache.pause_writes();
    let report = cache.import(&wire, &*snapshot).unwrap();
    assert_eq!((report.imported, report.expired), (0, 1));
    assert!(!cache.contains("ada").await.unwrap());
}

#[tokio::test]
async fn a_queue_writes_what_it_has_while_writes_are_paused() {
    let far = FakeBytes::new();
    let cache: Cache<str, Bytes> =
        Cache::new(far.clone()).codec(Raw).write(larder_core::Behind::default()).boxed();
    cache.insert("ada", "36".into()).await.unwrap();
    cache.pause_writes();
    cache.flush().await.unwrap();
    assert_eq!(far.count(Operation::Write), 1);
}

#[tokio::test]
async fn a_schedule_serves_what_it_loads_while_all_is_paused() {
    let clock = MockClock::new();
    let far = FakeBytes::new();
    let cache = chain(&Fake::new(), &far).clock(clock.clone());
    cache.pause_reads();
    cache.pause_writes();
    let loader: Loader<Bytes> = Loader::value("1".into()).then_value("2".into());
    let load = {
        let loader = loader.clone();
        move || loader.load()()
    };
    let rates = cache.refresh_every(60 * SECOND, "EUR", load);
    assert_eq!(rates.ready().await.unwrap(), "1");
    clock.run(60 * SECOND).await;
    assert_eq!(rates.get(), Some("2".into()));
    assert_eq!(far.calls(), []);
}

#[tokio::test]
async fn who_publishes_in_a_pause_keeps_it_to_this_process_and_a_mirror_keeps_what_it_has() {
    let (clock, far) = (MockClock::new(), FakeBytes::new());
    let process = || chain(&Fake::new(), &far).ttl(3600 * SECOND).clock(clock.clone());
    let (writer, reader) = (process(), process());
    let loader: Loader<Bytes> = Loader::value("1".into()).then_value("2".into()).then_value("3".into());
    let load = {
        let loader = loader.clone();
        move || loader.load()()
    };
    let rates = writer.publish(60 * SECOND, "EUR", load).unwrap();
    assert_eq!(rates.ready().await.unwrap(), "1");
    let mirror = reader.mirror("EUR", 10 * SECOND);
    assert_eq!(mirror.ready().await.unwrap(), Some("1".into()));

    writer.pause_writes();
    clock.run(60 * SECOND).await;
    assert_eq!(rates.get(), Some("2".into()));
    clock.run(10 * SECOND).await;
    assert_eq!(mirror.get(), Some("1".into()));

    writer.resume_writes();
    reader.pause_reads();
    clock.run(60 * SECOND).await;
    assert_eq!((rates.get(), mirror.get()), (Some("3".into()), Some("1".into())));
    reader.resume_reads();
    clock.run(10 * SECOND).await;
    assert_eq!(mirror.get(), Some("3".into()));
}
