//! Writers and readers of one key, all at once: each read is one of the values, whole, or nothing.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_core::{ByteStore, Cleared};
use larder_object::Object;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const WRITERS: u8 = 8;
const PUTS: u8 = 25;
const READERS: usize = 4;

/// A big value that shows whether it is whole: its length follows from its bytes, and these are all the same.
fn value(writer: u8, put: u8) -> Bytes {
    let byte = writer * PUTS + put;
    Bytes::from(vec![byte; length(byte)])
}

fn length(byte: u8) -> usize {
    200_000 + 1_013 * usize::from(byte)
}

#[track_caller]
fn is_whole(bytes: &Bytes) {
    let byte = bytes[0];
    assert_eq!(bytes.len(), length(byte), "the value of {byte} is not whole");
    assert!(bytes.iter().all(|other| *other == byte), "the value of {byte} is mixed with another");
}

async fn everybody_at_once(stores: Vec<Object>) {
    let writing = Arc::new(AtomicUsize::new(usize::from(WRITERS)));
    let mut tasks = Vec::new();
    for writer in 0..WRITERS {
        let store = stores[usize::from(writer) % stores.len()].clone();
        let writing = Arc::clone(&writing);
        tasks.push(tokio::spawn(async move {
            for put in 0..PUTS {
                store.put("users:ada", value(writer, put), None).await.unwrap();
                if put % 7 == 6 {
                    store.remove("users:ada").await.unwrap();
                }
            }
            writing.fetch_sub(1, Ordering::SeqCst);
            0
        }));
    }
    for reader in 0..READERS {
        let store = stores[reader % stores.len()].clone();
        let writing = Arc::clone(&writing);
        tasks.push(tokio::spawn(async move {
            let mut seen = HashSet::new();
            while writing.load(Ordering::SeqCst) > 0 {
                if let Some(bytes) = store.get("users:ada").await.unwrap() {
                    is_whole(&bytes);
                    seen.insert(bytes[0]);
                }
                tokio::task::yield_now().await;
            }
            seen.len()
        }));
    }
    let mut seen = 0;
    for task in tasks {
        seen += task.await.unwrap();
    }

    // How often readers and writers met is the scheduler's affair; every value that was read was whole.
    println!("{seen} values were seen while they were written");
    for store in &stores {
        is_whole(&store.get("users:ada").await.unwrap().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn values_are_never_mixed_in_a_folder() {
    let scratch = tempfile::tempdir().unwrap();
    everybody_at_once(vec![Object::local(scratch.path()).unwrap()]).await;
}

/// As two processes would.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn values_are_never_mixed_by_two_stores_over_one_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let open = || Object::local(scratch.path()).unwrap();
    everybody_at_once(vec![open(), open()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn values_are_never_mixed_in_memory() {
    everybody_at_once(vec![Object::in_memory()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clearing_and_purging_disturb_no_writer() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Object::local(scratch.path()).unwrap();
    let other = store.clone();
    let disturber = tokio::spawn(async move {
        for _ in 0..30 {
            assert_eq!(other.clear("users:").await.unwrap(), Cleared::Done);
            other.purge_expired(&larder_core::SystemClock).await.unwrap();
        }
    });
    let writers = (0..4_u8).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for put in 0..100_u8 {
                store.put(&format!("users:{writer}:{put}"), value(0, 0), None).await.unwrap();
            }
        })
    });
    for task in writers.chain([disturber]) {
        task.await.unwrap();
    }
}
