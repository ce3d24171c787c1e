use super::source::Source;
use super::{SECOND, Texts, Two, another, calls_of, text, two_levels};
use bytes::Bytes;
use larder_core::{Behind, Cache, LoadError, Operation, Results, load};
use larder_testkit::{Fake, FakeBytes, Loader, settle};
use std::collections::HashMap;
use tokio::task::JoinHandle;

type Answers = Results<Option<Bytes>, LoadError<&'static str>>;

fn texts(keys: &[&str]) -> Vec<Option<Bytes>> {
    keys.iter().map(|key| (!key.starts_with("no")).then(|| text(key))).collect()
}

fn begin(cache: &Texts, keys: &[&'static str], source: &Source) -> JoinHandle<Answers> {
    let (cache, keys, load) = (cache.clone(), keys.to_vec(), source.load());
    tokio::spawn(async move { cache.load_many(&keys, load).await })
}

#[tokio::test]
async fn what_is_missing_is_loaded_by_one_call_and_every_level_is_asked_once() {
    let (two, source) = (two_levels(), Source::default());
    two.cache.insert("ada", text("ada")).await.unwrap();
    another(&two).insert("bob", text("bob")).await.unwrap();

    let keys = ["eve", "ada", "bob", "eve", "nobody", "fay", "ada"];
    let (found, calls) = calls_of(&two.back, two.cache.load_many(keys, source.load())).await;
    assert_eq!(found.all().unwrap(), texts(&keys));
    assert_eq!(source.asked(), [["eve", "fay", "nobody"]]);
    assert_eq!(calls, [Operation::Read, Operation::Write]);
    assert_eq!(two.cache.get_now("bob"), Some(text("bob")), "promoted");
    assert_eq!(another(&two).get_many(["eve", "fay"]).await.all().unwrap(), texts(&["eve", "fay"]));
}

#[tokio::test]
async fn in_memory_and_in_bytes_alone_it_is_the_same() {
    let (store, source) = (FakeBytes::new(), Source::default());
    for cache in [Cache::new(Fake::new()).boxed(), Cache::new(store.clone()).boxed()] {
        let keys = ["ada", "nobody", "bob"];
        assert_eq!(cache.load_many(keys, source.load()).await.all().unwrap(), texts(&keys));
        assert_eq!(
            cache.load_many(["ada", "bob"], source.load()).await.all().unwrap(),
            texts(&["ada", "bob"])
        );
    }
    assert_eq!(source.asked().len(), 2);
    assert_eq!(store.calls(), [Operation::Read, Operation::Write, Operation::Read]);
}

#[tokio::test]
async fn the_loader_is_called_once_for_many_thousand_keys() {
    let store = FakeBytes::new();
    let cache = Cache::<u64, Bytes, _, _>::new(store.clone()).boxed();
    let keys: Vec<u64> = (0..2_500).collect();
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&calls);
    let load = async move |missing: Vec<u64>| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok::<_, String>(missing.into_iter().map(|key| (key, text("x"))).collect::<HashMap<_, _>>())
    };
    let found = cache.load_many(&keys, load).await.all().unwrap();
    assert_eq!(found.iter().flatten().count(), 2_500);
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!((store.count(Operation::Read), store.count(Operation::Write)), (3, 3));
}

#[tokio::test]
async fn what_the_loader_leaves_out_is_absent_and_nothing_is_remembered_of_it() {
    let (two, source) = (two_levels(), Source::default());
    for _ in 0..2 {
        assert_eq!(two.cache.load_many(["nobody", "none"], source.load()).await.all().unwrap(), [None, None]);
    }
    assert_eq!(source.asked().len(), 2);
    assert_eq!((two.cache.stats().load_failures, two.back.keys().len()), (0, 0));
}

#[tokio::test]
async fn what_the_loader_returns_beside_what_it_was_asked_for_is_ignored() {
    let cache = Cache::new(Fake::<str, u32>::new());
    let load = async |_: Vec<String>| Ok::<_, String>(HashMap::from([("ada".into(), 36), ("eve".into(), 1)]));
    assert_eq!(cache.load_many(["ada"], load).await.all().unwrap(), [Some(36)]);
    assert_eq!(cache.get_now("eve"), None);
}

#[tokio::test]
async fn a_load_that_fails_fails_for_its_keys_and_leaves_no_flight_behind() {
    let (two, source) = (two_levels(), Source::default());
    two.cache.insert("ada", text("ada")).await.unwrap();
    source.fails("no connection");
    let found = two.cache.load_many(["ada", "bob", "eve"], source.load()).await;
    assert_eq!(found[0].as_ref().unwrap(), &Some(text("ada")));
    for failed in &found[1..] {
        assert_eq!(failed.as_ref().unwrap_err().as_load(), Some(&"no connection"));
    }
    assert_eq!((two.cache.stats().load_failures, source.asked().len()), (2, 1));

    source.works();
    assert_eq!(
        two.cache.load_many(["bob", "eve"], source.load()).await.all().unwrap(),
        texts(&["bob", "eve"])
    );
}

#[tokio::test]
async fn a_load_that_panics_fails_for_its_keys_and_leaves_no_flight_behind() {
    let (two, source) = (two_levels(), Source::default());
    two.cache.insert("ada", text("ada")).await.unwrap();
    source.panics("out of memory");
    let found = two.cache.load_many(["ada", "bob", "eve"], source.load()).await;
    assert_eq!(found[0].as_ref().unwrap(), &Some(text("ada")));
    for failed in &found[1..] {
        let error = failed.as_ref().unwrap_err();
        assert!(matches!(error, LoadError::Panicked(message) if &**message == "out of memory"), "{error:?}");
    }
    source.works();
    assert_eq!(
        two.cache.load_many(["bob", "eve"], source.load()).await.all().unwrap(),
        texts(&["bob", "eve"])
    );
}

#[tokio::test]
async fn what_is_stale_is_served_and_reloaded_in_the_background_with_what_is_missing() {
    let (two, source) = (two_levels(), Source::gated());
    two.cache.insert_many([("ada", text("old")), ("bob", text("old"))]).await.all().unwrap();
    two.clock.advance(70 * SECOND);

    let found = two.cache.load_many(["ada", "bob"], source.load()).await.all().unwrap();
    assert_eq!(found, [Some(text("old")), Some(text("old"))], "nobody waits");
    source.gate().reached(1).await;
    let later = begin(&two.cache, &["ada", "eve"], &source);
    source.gate().reached(2).await;
    source.gate().open();
    assert_eq!(later.await.unwrap().all().unwrap(), [Some(text("old")), Some(text("eve"))]);
    settle().await;
    assert_eq!(source.asked(), [vec!["ada", "bob"], vec!["eve"]]);
    assert_eq!(two.cache.get_many(["ada", "bob"]).await.all().unwrap(), texts(&["ada", "bob"]));

    two.clock.advance(70 * SECOND);
    let found = two.cache.load_many(["ada", "fay"], source.load()).await.all().unwrap();
    assert_eq!(found, texts(&["ada", "fay"]));
    assert_eq!(source.asked()[2], ["ada", "fay"], "one call for both");
}

#[tokio::test]
async fn a_single_caller_joins_the_load_of_many() {
    let (two, source) = (two_levels(), Source::gated());
    let many = begin(&two.cache, &["ada", "bob", "nobody"], &source);
    source.gate().reached(1).await;
    let own: Loader<Bytes> = Loader::value(text("own"));
    let single = |key: &'static str| {
        let (cache, load) = (two.cache.clone(), own.load());
        tokio::spawn(async move { cache.get_or_load(key, load).await.unwrap() })
    };
    let (ada, nobody) = (single("ada"), single("nobody"));
    settle().await;
    assert_eq!((own.loads(), two.cache.stats().joins), (0, 2));
    source.gate().open();

    assert_eq!(ada.await.unwrap(), "ada");
    assert_eq!(many.await.unwrap().all().unwrap(), texts(&["ada", "bob", "nobody"]));
    assert_eq!(nobody.await.unwrap(), "own", "who waited for what was left out loads it itself");
    assert_eq!(own.loads(), 1);
}

#[tokio::test]
async fn who_joined_a_load_of_many_gets_its_error() {
    let (two, source) = (two_levels(), Source::gated());
    let many = begin(&two.cache, &["ada", "bob"], &source);
    source.gate().reached(1).await;
    let own: Loader<Bytes, &'static str> = Loader::value(text("own"));
    let (cache, load) = (two.cache.clone(), own.load());
    let single = tokio::spawn(async move { cache.get_or_load("ada", load).await });
    settle().await;
    source.fails("no connection");
    source.gate().open();
    assert_eq!(single.await.unwrap().unwrap_err().as_load(), Some(&"no connection"));
    assert!(many.await.unwrap().iter().all(Result::is_err));
    assert_eq!(own.loads(), 0);
}

#[tokio::test]
async fn what_somebody_is_loading_already_is_waited_for_and_not_loaded_again() {
    let (two, source) = (two_levels(), Source::default());
    let own: Loader<Bytes> = Loader::value(text("own")).gated();
    let (cache, load) = (two.cache.clone(), own.load());
    let single = tokio::spawn(async move { cache.get_or_load("ada", load).await.unwrap() });
    own.gate().reached(1).await;
    let many = begin(&two.cache, &["ada", "bob"], &source);
    source.gate().reached(1).await;
    settle().await;
    assert_eq!(two.cache.get_now("bob"), Some(text("bob")), "the others do not wait for it");
    assert!(!many.is_finished());

    own.gate().open();
    assert_eq!(single.await.unwrap(), "own");
    assert_eq!(many.await.unwrap().all().unwrap(), [Some(text("own")), Some(text("bob"))]);
    assert_eq!(source.asked(), [["bob"]]);
}

#[tokio::test]
async fn a_key_whose_other_load_came_to_nothing_is_loaded_by_a_further_call() {
    let (two, source) = (two_levels(), Source::default());
    let other: Loader<Bytes, u32> = Loader::failing(404).gated();
    let (cache, load) = (two.cache.clone(), other.load());
    let single = tokio::spawn(async move { cache.get_or_load("ada", load).await });
    other.gate().reached(1).await;
    let many = begin(&two.cache, &["ada", "bob"], &source);
    source.gate().reached(1).await;
    settle().await;
    other.gate().open();
    assert!(single.await.unwrap().is_err());
    assert_eq!(many.await.unwrap().all().unwrap(), texts(&["ada", "bob"]));
    assert_eq!(source.asked(), [["bob"], ["ada"]]);
}

#[tokio::test]
async fn two_loads_of_many_that_overlap_load_each_key_once_and_do_not_wait_for_each_other_for_ever() {
    let (two, source) = (two_levels(), Source::gated());
    let first = begin(&two.cache, &["ada", "bob", "eve"], &source);
    source.gate().reached(1).await;
    let second = begin(&two.cache, &["fay", "eve", "bob"], &source);
    source.gate().reached(2).await;
    source.gate().open();
    assert_eq!(first.await.unwrap().all().unwrap(), texts(&["ada", "bob", "eve"]));
    assert_eq!(second.await.unwrap().all().unwrap(), texts(&["fay", "eve", "bob"]));
    assert_eq!(source.asked(), [vec!["ada", "bob", "eve"], vec!["fay"]]);
}

#[tokio::test]
async fn a_key_that_is_removed_or_written_while_it_is_loaded_is_not_stored_and_the_others_are() {
    let (two, source) = (two_levels(), Source::gated());
    let many = begin(&two.cache, &["ada", "bob", "eve"], &source);
    source.gate().reached(1).await;
    two.cache.remove("ada").await.unwrap();
    two.cache.insert("bob", text("new")).await.unwrap();
    source.gate().open();

    assert_eq!(many.await.unwrap().all().unwrap(), texts(&["ada", "bob", "eve"]));
    let left = [None, Some(text("new")), Some(text("eve"))];
    assert_eq!(two.cache.get_many(["ada", "bob", "eve"]).await.all().unwrap(), left);
    assert_eq!(another(&two).get_many(["ada", "bob", "eve"]).await.all().unwrap(), left);
    assert_eq!(two.cache.stats().overtaken, 2);
}

#[tokio::test]
async fn a_caller_that_leaves_harms_nobody_and_the_load_goes_on() {
    let (two, source) = (two_levels(), Source::gated());
    let leaving = begin(&two.cache, &["ada", "bob"], &source);
    source.gate().reached(1).await;
    let staying = begin(&two.cache, &["bob", "ada"], &source);
    settle().await;
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    settle().await;
    source.gate().open();
    assert_eq!(staying.await.unwrap().all().unwrap(), texts(&["bob", "ada"]));
    assert_eq!(source.asked(), [["ada", "bob"]]);

    source.gate().close();
    let leaving = begin(&two.cache, &["eve"], &source);
    source.gate().reached(2).await;
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    source.gate().open();
    settle().await;
    assert_eq!(two.cache.get_now("eve"), Some(text("eve")), "though nobody waits");
}

#[test]
fn a_load_whose_runtime_ended_leaves_no_flight_behind() {
    let (two, source) = (two_levels(), Source::gated());
    let ending = tokio::runtime::Builder::new_current_thread().build().unwrap();
    ending.block_on(async {
        let _many = begin(&two.cache, &["ada", "bob"], &source);
        source.gate().reached(1).await;
    });
    drop(ending);
    source.gate().open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let found = two.cache.load_many(["ada", "bob"], source.load()).await;
        assert_eq!(found.all().unwrap(), texts(&["ada", "bob"]));
    });
}

#[tokio::test]
async fn each_key_has_its_tags_and_all_of_them_what_the_load_says_and_is_made_from() {
    let (two, teams) = (two_levels(), Cache::new(Fake::<str, u32>::new()));
    teams.insert_with("red", 7, |entry| entry.tag("team:red")).await.unwrap();
    let cache = two.cache.clone().tags(|key: &str, _: &Bytes| [format!("user:{key}")]);
    let load = {
        let teams = teams.clone();
        async move |missing: Vec<String>| {
            assert_eq!(teams.get("red").await.unwrap(), Some(7));
            assert!(load::depends_on("rates") && load::ttl(5 * SECOND));
            assert_eq!(load::key::<str>(), None, "it is not one key");
            Ok::<_, String>(missing.into_iter().map(|key| (key.clone(), Bytes::from(key))).collect())
        }
    };
    let keys = ["ada", "bob", "eve"];
    let tags = async |key: &str| {
        let found = cache.lookup(key).await.unwrap().unwrap();
        assert_eq!(found.ttl_left(), Some(5 * SECOND));
        let mut tags: Vec<String> = found.tags().iter().map(ToString::to_string).collect();
        tags.sort();
        tags
    };
    cache.load_many(keys, load.clone()).await.all().unwrap();
    for key in keys {
        assert_eq!(tags(key).await, ["rates".into(), "team:red".into(), format!("user:{key}")]);
    }
    cache.invalidate_tag("user:ada").await.unwrap();
    assert_eq!(cache.get_many(keys).await.all().unwrap(), [None, Some(text("bob")), Some(text("eve"))]);
    cache.invalidate_tag("team:red").await.unwrap();
    assert_eq!(cache.get_many(keys).await.all().unwrap(), [None, None, None]);
}

#[tokio::test]
async fn what_many_were_loaded_for_depends_on_all_of_them() {
    let two = two_levels();
    let (users, source) =
        (two.cache.clone().tags(|key: &str, _: &Bytes| [format!("user:{key}")]), Source::default());
    let pages = Cache::new(Fake::<str, usize>::new());
    let load = {
        let (users, source) = (users.clone(), source.clone());
        async move || Ok::<_, String>(users.load_many(["ada", "bob"], source.load()).await.len())
    };
    assert_eq!(pages.get_or_load("home", load).await.unwrap(), 2);
    assert_eq!(pages.lookup("home").await.unwrap().unwrap().tags().len(), 2);
    users.invalidate_tag("user:bob").await.unwrap();
    assert_eq!(pages.get("home").await.unwrap(), None);
}

#[tokio::test]
async fn a_load_of_many_that_asks_for_one_of_its_own_keys_is_told_so() {
    let two = two_levels();
    let cache = two.cache.clone();
    let load = async move |missing: Vec<String>| {
        let own = cache.get_or_load("bob", async || Ok::<_, String>(text("own"))).await;
        assert!(matches!(own, Err(LoadError::Cycle)), "{own:?}");
        let many = cache.load_many(["eve", "ada"], Source::default().load()).await;
        assert!(matches!(many[1], Err(LoadError::Cycle)));
        assert_eq!(many[0].as_ref().unwrap(), &Some(text("eve")));
        Ok::<_, String>(missing.into_iter().map(|key| (key.clone(), Bytes::from(key))).collect())
    };
    assert_eq!(two.cache.load_many(["ada", "bob"], load).await.all().unwrap(), texts(&["ada", "bob"]));
}

#[tokio::test]
async fn callers_wait_no_longer_than_they_are_to_and_a_load_that_hangs_is_cut_off() {
    let Two { cache, clock, back, .. } = two_levels();
    let (source, late) = (Source::gated(), cache.clone().hard_timeout(SECOND));
    let many = begin(&late, &["ada", "bob"], &source);
    source.gate().reached(1).await;
    clock.advance(SECOND);
    let found = many.await.unwrap();
    assert!(found.iter().all(|each| matches!(each, Err(LoadError::Timeout))));
    assert_eq!(source.under_way(), 1, "it goes on");

    clock.advance(9 * SECOND);
    settle().await;
    assert_eq!((source.under_way(), back.keys().len()), (0, 0), "ten times as long is taken for hung");
    source.gate().open();
    assert_eq!(cache.load_many(["ada", "bob"], source.load()).await.all().unwrap(), texts(&["ada", "bob"]));
}

#[tokio::test]
async fn what_is_loaded_is_queued_where_the_level_is_written_behind() {
    let (store, source) = (FakeBytes::new(), Source::default());
    let cache =
        Cache::<str, Bytes, _, _>::new(store.clone()).write(Behind::default().every(3_600 * SECOND)).boxed();
    cache.load_many(["ada", "bob"], source.load()).await.all().unwrap();
    assert_eq!(store.count(Operation::Write), 0);
    assert_eq!(cache.load_many(["ada", "bob"], source.load()).await.all().unwrap(), texts(&["ada", "bob"]));
    cache.flush().await.unwrap();
    assert_eq!((source.asked().len(), store.keys().len()), (1, 2));
}

#[tokio::test]
async fn values_reach_their_callers_whatever_becomes_of_the_levels() {
    let (two, source) = (two_levels(), Source::default());
    two.back.fail(&[Operation::Read, Operation::Write]);
    assert_eq!(
        two.cache.load_many(["ada", "bob"], source.load()).await.all().unwrap(),
        texts(&["ada", "bob"])
    );
    assert_eq!(two.cache.get_now("ada"), Some(text("ada")));
}

#[tokio::test]
async fn a_forced_refresh_loads_what_is_there() {
    let (two, source) = (two_levels(), Source::default());
    two.cache.insert("ada", text("old")).await.unwrap();
    let forced = two.cache.with(larder_core::CallOptions::force_refresh);
    assert_eq!(forced.load_many(["ada", "bob"], source.load()).await.all().unwrap(), texts(&["ada", "bob"]));
    assert_eq!(two.cache.get("ada").await.unwrap(), Some(text("ada")));
}

#[test]
fn without_a_runtime_the_caller_does_it() {
    let (two, source) = (two_levels(), Source::default());
    futures::executor::block_on(async {
        let keys = ["ada", "nobody", "bob"];
        let (found, calls) = calls_of(&two.back, two.cache.load_many(keys, source.load())).await;
        assert_eq!(found.all().unwrap(), texts(&keys));
        assert_eq!(calls, [Operation::Read, Operation::Write]);
    });
}
