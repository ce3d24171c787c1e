//! Clearing removes the objects of one namespace and nothing else.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
}

use larder_core::{ByteStore, Cleared};
use larder_object::Object;
use std::fs;
use support::clock::HandClock;
use support::files::{files, texts};

const NEIGHBOURS: [&str; 12] = [
    "user",
    "users2",
    "users-",
    "users_",
    "Users",
    "USERS",
    "users/",
    "users/ada",
    "",
    "..",
    "larder",
    "users%3A",
];

async fn clears_only_users(store: Object) {
    for namespace in NEIGHBOURS.into_iter().chain(["users"]) {
        for number in 0..20 {
            store.put(&format!("{namespace}:{number}"), "value".into(), None).await.unwrap();
        }
    }

    assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);

    for number in 0..20 {
        assert_eq!(store.get(&format!("users:{number}")).await.unwrap(), None);
        for namespace in NEIGHBOURS {
            let key = format!("{namespace}:{number}");
            assert_eq!(store.get(&key).await.unwrap(), Some("value".into()), "{key}");
        }
    }
}

#[tokio::test]
async fn no_other_namespace_is_touched() {
    let scratch = tempfile::tempdir().unwrap();
    clears_only_users(Object::local(scratch.path()).unwrap()).await;
    clears_only_users(Object::in_memory()).await;
}

#[tokio::test]
async fn long_namespaces_are_cleared_each_for_itself() {
    let store = Object::in_memory();
    let [one, two] = ["x", "y"].map(|last| format!("{}{last}:", "long".repeat(1_000)));
    store.put(&format!("{one}ada"), "1".into(), None).await.unwrap();
    store.put(&format!("{two}ada"), "2".into(), None).await.unwrap();

    assert_eq!(store.clear(&one).await.unwrap(), Cleared::Done);
    assert_eq!(store.get(&format!("{one}ada")).await.unwrap(), None);
    assert_eq!(store.get(&format!("{two}ada")).await.unwrap(), Some("2".into()));
}

/// More than the driver lists or removes at once.
#[tokio::test]
async fn many_objects_are_cleared() {
    let scratch = tempfile::tempdir().unwrap();
    let (numbers, failures) = texts(Object::local(scratch.path()).unwrap(), "n", &HandClock::default());
    for number in 0..2_500 {
        numbers.insert(&number.to_string(), String::new()).await.unwrap();
    }
    assert_eq!(files(scratch.path()).len(), 2_500);

    numbers.clear().await.unwrap();
    assert_eq!(files(scratch.path()).len(), 0);
    assert_eq!(failures.take(), []);
}

#[tokio::test]
async fn damaged_objects_are_cleared_too() {
    let scratch = tempfile::tempdir().unwrap();
    let (users, failures) = texts(Object::local(scratch.path()).unwrap(), "users", &HandClock::default());
    users.insert("ada", "countess".into()).await.unwrap();
    fs::write(&files(scratch.path())[0], "damaged").unwrap();

    users.clear().await.unwrap();
    assert_eq!(files(scratch.path()).len(), 0);
    assert_eq!(failures.take(), []);
}

#[tokio::test]
async fn files_of_others_stay_even_inside_our_folders() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Object::local(scratch.path()).unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let ours = files(scratch.path()).remove(0);
    let shard = ours.parent().unwrap();
    let foreign = [
        scratch.path().join("notes.txt"),
        // Sharded by a hash as ours are, as many programs do.
        scratch.path().join("users").join(shard.file_name().unwrap()).join(ours.file_name().unwrap()),
        shard.join("notes.txt"),
        shard.parent().unwrap().join("notes.txt"),
        shard.join("deeper").join(ours.file_name().unwrap()),
    ];
    for path in &foreign {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }

    assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);

    let mut left = foreign.to_vec();
    left.sort();
    assert_eq!(files(scratch.path()), left);
}

#[tokio::test]
async fn clearing_nothing_is_done_at_once() {
    let scratch = tempfile::tempdir().unwrap();
    for store in [Object::local(scratch.path()).unwrap(), Object::in_memory()] {
        assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
    }
}

#[tokio::test]
async fn what_is_no_namespace_and_its_colon_is_refused_and_removes_nothing() {
    let store = Object::in_memory();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    for prefix in ["", "users", "users:a", "users:ada:", "u"] {
        assert_eq!(store.clear(prefix).await.unwrap(), Cleared::Unsupported, "{prefix}");
    }
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
}
