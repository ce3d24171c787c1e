//! A folder that is kept below a size.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
}

use larder_core::{ByteStore, ErrorKind, Put};
use larder_object::Object;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};
use support::files::files;

const BLOCK: u64 = 4_096;

fn open(folder: &Path, blocks: u64) -> Object {
    Object::local(folder).unwrap().max_bytes_on_disk(blocks * BLOCK).unwrap()
}

async fn put(store: &Object, key: u64) {
    store.put(&format!("pages:{key}"), vec![7; 100].into(), None).await.unwrap();
}

async fn has(store: &Object, key: u64) -> bool {
    store.get(&format!("pages:{key}")).await.unwrap().is_some()
}

fn used(store: &Object) -> (u64, u64) {
    let usage = store.usage().unwrap();
    (usage.entries, usage.weight / BLOCK)
}

#[tokio::test]
async fn what_was_not_used_for_the_longest_time_goes() {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(scratch.path(), 3);
    for key in [1, 2, 3] {
        put(&store, key).await;
    }
    assert!(has(&store, 1).await, "it is used now");
    put(&store, 4).await;
    assert_eq!([has(&store, 1).await, has(&store, 3).await, has(&store, 4).await], [true; 3]);
    assert!(!has(&store, 2).await);
    assert_eq!(used(&store), (3, 3));
    assert_eq!(files(scratch.path()).len(), 3);
}

#[tokio::test]
async fn a_value_makes_room_for_itself_before_it_is_written() {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(scratch.path(), 10);
    for key in 0..10 {
        put(&store, key).await;
    }
    store.put("pages:large", vec![7; 8 * 4_096].into(), None).await.unwrap();
    assert_eq!(used(&store), (3, 10));
    assert!(has(&store, 8).await && has(&store, 9).await && !has(&store, 7).await);
    store.put("pages:large", vec![8; 10 * 4_096].into(), None).await.unwrap();
    assert_eq!(used(&store), (1, 10));
}

#[tokio::test]
async fn a_value_that_has_no_room_at_all_is_refused_and_nothing_goes_for_it() {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(scratch.path(), 3);
    put(&store, 1).await;
    let error = store.put("pages:2", vec![7; 3 * 4_096 + 1].into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(has(&store, 1).await);
}

#[tokio::test]
async fn what_is_removed_cleared_or_purged_is_not_counted() {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(scratch.path(), 100);
    for key in 0..10 {
        put(&store, key).await;
        store.put(&format!("other:{key}"), "x".into(), None).await.unwrap();
    }
    store.remove("pages:0").await.unwrap();
    assert!(store.remove_many(&["pages:1", "pages:2"]).await.iter().all(Result::is_ok));
    assert_eq!(used(&store), (17, 17));
    _ = store.clear("pages:").await.unwrap();
    assert_eq!(used(&store), (10, 10));

    let clock = support::clock::HandClock::default();
    let cache = larder_core::Cache::new(store.clone()).codec(larder_codecs::Json).namespace("short");
    let cache = cache.ttl(Duration::from_secs(1)).clock(clock.clone());
    cache.insert("ada", 36_u32).await.unwrap();
    assert_eq!(used(&store), (11, 11));
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.purge_expired(&clock).await.unwrap().removed, 1);
    assert_eq!(used(&store), (10, 10));
}

/// The order of what was there already is that of the last writes.
#[tokio::test]
async fn what_is_there_at_the_start_is_counted_and_the_oldest_of_it_goes_first() {
    let scratch = tempfile::tempdir().unwrap();
    let first = Object::local(scratch.path()).unwrap();
    for key in 0..20 {
        put(&first, key).await;
        let written = files(scratch.path())
            .into_iter()
            .max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        let age = Duration::from_secs(1_000 - key);
        let file = fs::File::options().write(true).open(written.unwrap()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(100_000) - age).unwrap();
    }
    let store = open(scratch.path(), 10);
    assert_eq!(used(&store), (20, 20), "too much is noticed, and goes with the next put");
    put(&store, 20).await;
    assert_eq!(used(&store), (10, 10));
    for key in 0..=20 {
        assert_eq!(has(&store, key).await, key >= 11, "{key}");
    }
}

#[tokio::test]
async fn files_of_others_are_neither_counted_nor_removed() {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(scratch.path(), 2);
    put(&store, 1).await;
    let ours = files(scratch.path()).remove(0);
    let foreign = [scratch.path().join("notes"), ours.with_file_name("notes"), ours.with_extension("bak")];
    for path in &foreign {
        fs::write(path, vec![0; 100_000]).unwrap();
    }
    let store = open(scratch.path(), 2);
    assert_eq!(used(&store), (1, 1));
    for key in 0..50 {
        put(&store, key).await;
    }
    assert_eq!(files(scratch.path()).len(), 2 + foreign.len());
    assert!(foreign.iter().all(|path| path.exists()));
}

#[tokio::test]
async fn what_other_processes_write_is_found_and_bounded_by_the_next_count() {
    let scratch = tempfile::tempdir().unwrap();
    let (one, other) = (open(scratch.path(), 100), open(scratch.path(), 100));
    for key in 0..100 {
        put(&one, key).await;
    }
    // The counts that this began have ended.
    one.recount().await;
    // Less than a quarter, so that it is not found by itself.
    for key in 100..124 {
        put(&other, key).await;
    }
    assert_eq!((used(&one), used(&other)), ((100, 100), (24, 24)));
    one.recount().await;
    assert_eq!(used(&one), (100, 100));
    assert_eq!(files(scratch.path()).len(), 100);
    assert!(has(&one, 123).await && !has(&one, 0).await, "the newest stay, whoever wrote them");
    other.recount().await;
    assert_eq!(used(&other), (100, 100));
}

/// Without a runtime the count is done before the put returns.
#[test]
fn the_files_are_counted_anew_after_each_quarter_that_was_written() {
    let scratch = tempfile::tempdir().unwrap();
    let (one, other) = (open(scratch.path(), 40), open(scratch.path(), 40));
    futures::executor::block_on(async {
        for key in 0..40 {
            put(&other, key).await;
        }
        for key in 100..109 {
            put(&one, key).await;
        }
        assert_eq!(used(&one), (9, 9));
        put(&one, 109).await;
        assert_eq!(used(&one), (50, 50), "after ten of forty");
        put(&one, 110).await;
        assert_eq!(used(&one), (40, 40));
    });
    assert_eq!(files(scratch.path()).len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_at_once_stay_below_the_bound() {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(scratch.path(), 50);
    let writers: Vec<_> = (0..4_u64)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..250 {
                    put(&store, writer * 1_000 + number).await;
                    if number % 7 == 0 {
                        store.remove(&format!("pages:{}", writer * 1_000 + number)).await.unwrap();
                    }
                    has(&store, writer * 1_000 + number / 2).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    store.recount().await;
    let (entries, blocks) = used(&store);
    assert!(entries <= 50 && blocks <= 50, "{entries} files of {blocks} blocks");
    assert_eq!(files(scratch.path()).len() as u64, entries, "the count is what is there");
}

#[tokio::test]
async fn a_batch_is_bounded_as_well() {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(scratch.path(), 30);
    let keys: Vec<String> = (0..300).map(|key| format!("pages:{key}")).collect();
    let puts: Vec<_> = keys.iter().map(|key| Put { key, bytes: "x".into(), expires_at: None }).collect();
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
    store.recount().await;
    assert!(files(scratch.path()).len() <= 30);
}

#[test]
fn only_a_folder_can_be_bounded_and_only_by_what_a_file_takes() {
    let error = Object::in_memory().max_bytes_on_disk(1 << 30).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let scratch = tempfile::tempdir().unwrap();
    let error = Object::local(scratch.path()).unwrap().max_bytes_on_disk(4_095).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
