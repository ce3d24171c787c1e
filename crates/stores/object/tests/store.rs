//! What a store of bytes does, in a folder, in memory and over a driver that was given.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Cleared};
use larder_object::Object;
use object_store::memory::InMemory;
use object_store::prefix::PrefixStore;
use std::sync::Arc;
use tempfile::TempDir;

/// One of each kind. The folder's own path has all that paths may have.
fn stores() -> (TempDir, [Object; 3]) {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("a b/100%41/#1/?q=ä/x#2");
    let given = PrefixStore::new(InMemory::new(), "a b/c");
    (scratch, [Object::local(folder).unwrap(), Object::in_memory(), Object::from_store(Arc::new(given))])
}

fn awkward_keys() -> Vec<String> {
    let mut keys: Vec<String> =
        ["ada", "", " ", "../../etc/passwd", "/", "a/b", "a\\b", ".", "CON", "a#1", "a:b", "ä", "\0"]
            .map(|text| format!("users:{text}"))
            .into();
    keys.extend(["Users:ada", "..:ada", "/:ada", ":ada", ":", "", "no namespace"].map(String::from));
    keys.push(format!("users:{}", "x".repeat(100_000)));
    keys.push(format!("{}:ada", "x".repeat(100_000)));
    keys
}

#[tokio::test]
async fn every_key_has_an_object_of_its_own() {
    let (_scratch, stores) = stores();
    for store in stores {
        for key in awkward_keys() {
            assert_eq!(store.get(&key).await.unwrap(), None, "{key:.40?} in {store:?}");
            store.put(&key, Bytes::from(key.clone()), None).await.unwrap();
        }
        for key in awkward_keys() {
            assert_eq!(
                store.get(&key).await.unwrap(),
                Some(Bytes::from(key.clone())),
                "{key:.40?} in {store:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_put_replaces_and_a_remove_removes() {
    let (_scratch, stores) = stores();
    for store in stores {
        store.put("users:ada", "old, and longer".into(), None).await.unwrap();
        store.put("users:ada", "new".into(), None).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("new".into()));
        store.put("users:ada", Bytes::new(), None).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), Some(Bytes::new()));

        store.remove("users:ada").await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), None);
        store.remove("users:ada").await.unwrap();
    }
}

/// Also those that look like what the store itself writes in front of a value, or as a guard.
#[tokio::test]
async fn bytes_that_look_like_a_frame_come_back() {
    let (_scratch, stores) = stores();
    for store in stores {
        for kind in [0, 1, 2] {
            let mut bytes = vec![0xFE, b'O', 1, kind];
            bytes.extend([7; 60]);
            store.put("users:ada", bytes.clone().into(), None).await.unwrap();
            assert_eq!(store.get("users:ada").await.unwrap(), Some(bytes.into()), "{kind} in {store:?}");
        }
    }
}

#[tokio::test]
async fn a_folder_keeps_its_objects_when_it_is_opened_again() {
    let scratch = tempfile::tempdir().unwrap();
    let first = Object::local(scratch.path()).unwrap();
    first.put("users:ada", "1815".into(), None).await.unwrap();
    drop(first);

    let second = Object::local(scratch.path()).unwrap();
    assert_eq!(second.get("users:ada").await.unwrap(), Some("1815".into()));
}

#[tokio::test]
async fn a_folder_that_was_removed_is_made_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("cache");
    let store = Object::local(&folder).unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();

    assert_eq!(store.get("users:ada").await.unwrap(), None);
    assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
    store.put("users:ada", "1816".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1816".into()));
}

#[test]
fn a_folder_works_without_a_runtime() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Object::local(scratch.path()).unwrap();
    futures::executor::block_on(async {
        store.put("users:ada", "1815".into(), None).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
        assert_eq!(store.purge_expired(&larder_core::SystemClock).await.unwrap().unreadable, 1);
        assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
        assert_eq!(store.get("users:ada").await.unwrap(), None);
    });
}

#[test]
fn it_claims_what_its_place_can() {
    let (_scratch, [folder, memory, given]) = stores();
    assert_eq!(folder.capabilities(), Capabilities::NONE.clear());
    assert_eq!(memory.capabilities(), Capabilities::NONE.clear().put_if());
    assert_eq!(given.capabilities(), Capabilities::NONE.clear());
    for store in [folder, memory, given] {
        assert_eq!(store.usage(), None);
    }
}
