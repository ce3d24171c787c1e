//! Purging in pieces.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
    pub(crate) mod spy;
}

use larder_codecs::Json;
use larder_core::{ByteStore, Cache, ErrorKind};
use larder_object::{Object, PurgePosition, Purged};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use support::clock::HandClock;
use support::files::files;
use support::spy::Spy;

const MINUTE: Duration = Duration::from_secs(60);

/// Puts 100 values into three namespaces, each third of which has expired.
async fn fill(store: &Object) -> HandClock {
    let clock = HandClock::default();
    for (namespace, ttl) in
        [("a", 1), ("b and a name that is longer than sixty-four characters, so hashed", 9), ("c", 9)]
    {
        let cache = Cache::new(store.clone()).codec(Json).namespace(namespace).clock(clock.clone());
        let cache = cache.ttl(ttl * MINUTE);
        for number in 0..100_u32 {
            cache.insert(&number, number).await.unwrap();
        }
    }
    clock.advance(MINUTE);
    clock
}

/// Purges in pieces of so many, each by a store that was opened anew.
async fn purge(open: impl Fn() -> Object, clock: &HandClock, most: u64) -> (u64, Vec<Purged>) {
    let (mut sum, mut pages) = (0, Vec::new());
    let mut kept = Some(String::new());
    while let Some(text) = kept {
        let from: PurgePosition = text.parse().unwrap();
        let (purged, next) = open().purge_page(clock, &from, most).await.unwrap();
        assert!(purged.examined <= most);
        sum += purged.removed;
        pages.push(purged);
        kept = next.map(|position| position.to_string());
    }
    (sum, pages)
}

#[tokio::test]
async fn a_folder_is_purged_in_pieces() {
    let scratch = tempfile::tempdir().unwrap();
    let open = || Object::local(scratch.path()).unwrap();
    let clock = fill(&open()).await;
    let (removed, pages) = purge(open, &clock, 70).await;
    assert_eq!((removed, pages.len()), (100, 5));
    assert_eq!(pages.iter().map(|page| page.examined).collect::<Vec<_>>(), [70, 70, 70, 70, 20]);
    assert_eq!(files(scratch.path()).len(), 200);
}

#[tokio::test]
async fn memory_and_a_given_driver_are_purged_in_pieces() {
    let memory = Object::in_memory();
    let clock = fill(&memory).await;
    assert_eq!(purge(|| memory.clone(), &clock, 7).await.0, 100);

    let spy = Spy::new();
    let given = Object::from_store(Arc::new(spy.clone()));
    let clock = fill(&given).await;
    spy.take();
    let (removed, pages) = purge(|| given.clone(), &clock, 100).await;
    assert_eq!((removed, pages.len()), (100, 3));
    assert_eq!(spy.take().iter().filter(|request| *request == "LIST").count(), 3);
}

#[tokio::test]
async fn a_piece_examines_no_more_than_it_is_to() {
    let spy = Spy::new();
    let store = Object::from_store(Arc::new(spy.clone()));
    let clock = fill(&store).await;
    spy.take();
    let (purged, next) = store.purge_page(&clock, &PurgePosition::default(), 10).await.unwrap();
    assert_eq!((purged.examined, next.is_some()), (10, true));
    assert_eq!(spy.take().iter().filter(|request| request.starts_with("GET 0..")).count(), 10);
    assert!(spy.counts.listed.load(SeqCst) <= 12, "the listing stopped with it");
}

#[tokio::test]
async fn the_last_piece_says_that_it_is_the_last() {
    let store = Object::in_memory();
    let clock = fill(&store).await;
    let start = PurgePosition::default();
    assert_eq!(store.purge_page(&clock, &start, 301).await.unwrap().1, None);
    assert_eq!(store.purge_page(&clock, &start, 200).await.unwrap().1, None, "exactly as many");
    assert!(store.purge_page(&clock, &start, 199).await.unwrap().1.is_some());
    assert_eq!(
        store.purge_page(&clock, &start, 0).await.unwrap().0.examined,
        1,
        "none is one, or it never ends"
    );
}

#[tokio::test]
async fn a_piece_that_failed_is_done_again_from_the_same_place() {
    let spy = Spy::new();
    let store = Object::from_store(Arc::new(spy.clone()));
    let clock = fill(&store).await;
    let (_, next) = store.purge_page(&clock, &PurgePosition::default(), 50).await.unwrap();
    let from = next.unwrap();
    spy.counts.broken.store(true, SeqCst);
    assert_eq!(store.purge_page(&clock, &from, 50).await.unwrap_err().kind(), ErrorKind::Store);
    spy.counts.broken.store(false, SeqCst);
    assert_eq!(store.purge_page(&clock, &from, 50).await.unwrap().0.removed, 50);
}

#[tokio::test]
async fn a_driver_without_an_order_is_an_error_and_not_half_a_purge() {
    let spy = Spy::new();
    let store = Object::from_store(Arc::new(spy.clone()));
    let clock = fill(&store).await;
    spy.counts.lists_backwards.store(true, SeqCst);
    let error = store.purge_page(&clock, &PurgePosition::default(), 50).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("use `purge_expired`"), "{error}");
    let purged = store.purge_expired(&clock).await.unwrap();
    assert_eq!(purged.examined, 300, "all, in whatever order");
}

#[tokio::test]
async fn what_crashed_writers_left_goes_with_the_first_piece() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Object::local(scratch.path()).unwrap();
    let clock = fill(&store).await;
    let mut staged = files(scratch.path()).pop().unwrap().into_os_string();
    staged.push("#1");
    std::fs::write(&staged, "half").unwrap();
    let file = std::fs::File::options().write(true).open(&staged).unwrap();
    file.set_modified(larder_core::Clock::wall(&clock) - 61 * MINUTE).unwrap();

    let (_, pages) = purge(|| store.clone(), &clock, 100).await;
    assert_eq!(pages.iter().map(|page| page.leftovers).collect::<Vec<_>>(), [1, 0, 0]);
}

/// What others have in the same bucket is not even listed, before and behind ours.
#[tokio::test]
async fn foreign_objects_around_ours_do_not_count() {
    use object_store::ObjectStoreExt;
    let spy = Spy::new();
    for foreign in ["a/b", "larder", "larder-notes", "larders/00/x", "zoo"] {
        spy.inner.put(&foreign.into(), "mine".into()).await.unwrap();
    }
    let store = Object::from_store(Arc::new(spy.clone()));
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let (purged, next) = store.purge_page(&HandClock::default(), &PurgePosition::default(), 1).await.unwrap();
    assert_eq!((purged.examined, purged.unreadable, next), (1, 1, None));
}
