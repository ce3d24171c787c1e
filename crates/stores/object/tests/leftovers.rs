//! Files that a crashed writer staged disturb nothing, and a later purge removes them.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
}

use larder_core::{ByteStore, Cleared};
use larder_object::Object;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::clock::HandClock;
use support::files::{file_with, files, texts};

const HOUR: Duration = Duration::from_secs(3600);

/// The files that a crash leaves, one of them complete, one empty.
fn crash(object: &Path) -> [PathBuf; 2] {
    let staged = ["#1", "#2"].map(|end| {
        let mut name = object.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    fs::copy(object, &staged[0]).unwrap();
    fs::write(&staged[1], "").unwrap();
    staged
}

/// Makes a file's age what it should be on the test's clock.
fn change(path: &Path, clock: &HandClock, ago: Duration) {
    let changed = larder_core::Clock::wall(clock) - ago;
    fs::File::options().write(true).open(path).unwrap().set_modified(changed).unwrap();
}

#[tokio::test]
async fn they_disturb_neither_reads_nor_writes_nor_a_clear() {
    let scratch = tempfile::tempdir().unwrap();
    let (users, failures) = texts(Object::local(scratch.path()).unwrap(), "users", &HandClock::default());
    users.insert("ada", "countess".into()).await.unwrap();
    users.insert("bob", "builder".into()).await.unwrap();
    let staged = crash(&file_with(scratch.path(), "users:ada"));

    assert_eq!(users.get("ada").await.unwrap().as_deref(), Some("countess"));
    users.insert("ada", "mathematician".into()).await.unwrap();
    assert_eq!(users.get("ada").await.unwrap().as_deref(), Some("mathematician"));
    users.clear().await.unwrap();
    assert_eq!(users.get("ada").await.unwrap(), None);
    assert_eq!(users.get("bob").await.unwrap(), None);
    assert_eq!(failures.take(), []);
    assert_eq!(files(scratch.path()), staged, "a clear leaves them: a live writer may be at work");
}

#[tokio::test]
async fn a_purge_removes_those_that_nobody_is_writing() {
    let scratch = tempfile::tempdir().unwrap();
    let (store, clock) = (Object::local(scratch.path()).unwrap(), HandClock::default());
    let (users, _) = texts(store.clone(), "users", &clock);
    users.insert("ada", "countess".into()).await.unwrap();
    let ada = file_with(scratch.path(), "users:ada");
    let [old, new] = crash(&ada);
    change(&old, &clock, HOUR);
    change(&new, &clock, Duration::from_secs(3599));

    let purged = store.purge_expired(&clock).await.unwrap();
    assert_eq!((purged.examined, purged.removed, purged.unreadable, purged.leftovers), (1, 0, 0, 1));
    assert_eq!(files(scratch.path()), [ada.clone(), new]);

    clock.advance(Duration::from_secs(1));
    assert_eq!(store.purge_expired(&clock).await.unwrap().leftovers, 1);
    assert_eq!(files(scratch.path()), [ada]);
    assert_eq!(users.get("ada").await.unwrap().as_deref(), Some("countess"));
}

#[tokio::test]
async fn files_that_only_look_alike_stay() {
    let scratch = tempfile::tempdir().unwrap();
    let (store, clock) = (Object::local(scratch.path()).unwrap(), HandClock::default());
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let object = files(scratch.path()).remove(0);
    let shard = object.parent().unwrap();
    let staged = object.file_name().unwrap().to_str().unwrap().to_owned() + "#1";
    let foreign = [
        shard.join("notes#1"),
        shard.join(staged.clone() + ".txt"),
        shard.parent().unwrap().join(&staged),
        scratch.path().join(&staged),
        scratch.path().join("users").join(shard.file_name().unwrap()).join(&staged),
    ];
    for path in &foreign {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
        change(path, &clock, 2 * HOUR);
    }

    assert_eq!(store.purge_expired(&clock).await.unwrap().leftovers, 0);
    assert_eq!(store.clear("users:").await.unwrap(), Cleared::Done);
    let mut left = foreign.to_vec();
    left.sort();
    assert_eq!(files(scratch.path()), left);
}
