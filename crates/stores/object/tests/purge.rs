//! Purging removes what has expired, and nothing else.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
}

use larder_codecs::Json;
use larder_core::{ByteStore, Cache};
use larder_object::{Object, Purged};
use std::fs;
use std::time::Duration;
use support::clock::HandClock;
use support::files::{file_with, files};

const MINUTE: Duration = Duration::from_secs(60);

fn cache(store: &Object, namespace: &str, clock: &HandClock) -> Cache<str, u32, Object, Json> {
    Cache::new(store.clone()).codec(Json).namespace(namespace).clock(clock.clone())
}

#[track_caller]
fn counts(purged: Purged, examined: u64, removed: u64, unreadable: u64) {
    assert_eq!((purged.examined, purged.removed, purged.unreadable), (examined, removed, unreadable));
}

async fn only_the_dead_go(store: Object) {
    let clock = HandClock::default();
    let endless = cache(&store, "endless", &clock);
    let minute = cache(&store, "minute", &clock).ttl(MINUTE);
    let stale = cache(&store, "stale", &clock).ttl(MINUTE).stale(MINUTE);
    let hour = cache(&store, "hour and a very long name of its namespace, longer than sixty-four", &clock)
        .ttl(60 * MINUTE);
    for cache in [&endless, &minute, &stale, &hour] {
        cache.insert("ada", 36).await.unwrap();
        cache.insert("bob", 40).await.unwrap();
    }

    clock.advance(Duration::from_millis(59_999));
    counts(store.purge_expired(&clock).await.unwrap(), 8, 0, 0);
    clock.advance(Duration::from_millis(1));
    counts(store.purge_expired(&clock).await.unwrap(), 8, 2, 0);
    assert_eq!(store.get("minute:ada").await.unwrap(), None);
    assert_eq!(stale.get("ada").await.unwrap(), Some(36), "stale is not dead");
    clock.advance(MINUTE);
    counts(store.purge_expired(&clock).await.unwrap(), 6, 2, 0);
    assert_eq!(store.get("stale:ada").await.unwrap(), None);

    assert_eq!(hour.get("ada").await.unwrap(), Some(36));
    assert_eq!(endless.get("ada").await.unwrap(), Some(36));
    clock.advance(100_000 * MINUTE);
    counts(store.purge_expired(&clock).await.unwrap(), 4, 2, 0);
    counts(store.purge_expired(&clock).await.unwrap(), 2, 0, 0);
    assert_eq!(endless.get("bob").await.unwrap(), Some(40));
}

#[tokio::test]
async fn what_has_expired_goes_and_the_rest_stays() {
    let scratch = tempfile::tempdir().unwrap();
    only_the_dead_go(Object::local(scratch.path()).unwrap()).await;
    only_the_dead_go(Object::in_memory()).await;
}

/// More than the driver lists at once, and than are read at once.
#[tokio::test]
async fn many_objects_are_purged() {
    let scratch = tempfile::tempdir().unwrap();
    let (store, clock) = (Object::local(scratch.path()).unwrap(), HandClock::default());
    let (short, long) =
        (cache(&store, "short", &clock).ttl(MINUTE), cache(&store, "long", &clock).ttl(2 * MINUTE));
    for number in 0..1_500 {
        short.insert(&number.to_string(), number).await.unwrap();
        long.insert(&number.to_string(), number).await.unwrap();
    }
    clock.advance(MINUTE);

    counts(store.purge_expired(&clock).await.unwrap(), 3_000, 1_500, 0);
    assert_eq!(files(scratch.path()).len(), 1_500);
    for number in 0..1_500 {
        assert_eq!(long.get(&number.to_string()).await.unwrap(), Some(number));
    }
}

#[tokio::test]
async fn what_is_no_envelope_is_counted_and_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let (store, clock) = (Object::local(scratch.path()).unwrap(), HandClock::default());
    let users = cache(&store, "users", &clock).ttl(MINUTE);
    let damages: [&[u8]; 6] = [
        b"",
        b"x",
        b"\xFEL",
        b"not an envelope, and longer than the forty bytes that are read",
        b"\xFEL\x02",
        &[0; 40],
    ];
    for (number, damage) in damages.iter().enumerate() {
        users.insert(&format!("damaged {number}"), 0).await.unwrap();
        fs::write(file_with(scratch.path(), &format!("users:damaged {number}")), damage).unwrap();
    }
    users.insert("ada", 36).await.unwrap();
    clock.advance(MINUTE);

    counts(store.purge_expired(&clock).await.unwrap(), 7, 1, 6);
    let mut left: Vec<_> = files(scratch.path()).iter().map(|path| fs::read(path).unwrap()).collect();
    left.sort();
    let mut whole = damages.map(<[u8]>::to_vec);
    whole.sort();
    assert_eq!(left, whole);
}

/// An expired envelope of ours under a name that is not ours is somebody's copy.
#[tokio::test]
async fn files_of_others_are_neither_read_nor_removed() {
    let scratch = tempfile::tempdir().unwrap();
    let (store, clock) = (Object::local(scratch.path()).unwrap(), HandClock::default());
    cache(&store, "users", &clock).ttl(MINUTE).insert("ada", 36).await.unwrap();
    let ours = files(scratch.path()).remove(0);
    let shard = ours.parent().unwrap();
    let foreign = [
        scratch.path().join("backup"),
        scratch.path().join("larder-notes"),
        scratch
            .path()
            .join("backup")
            .with_extension("d")
            .join(shard.file_name().unwrap())
            .join(ours.file_name().unwrap()),
        shard.join("backup"),
        ours.with_extension("bak"),
    ];
    for path in &foreign {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(&ours, path).unwrap();
    }
    clock.advance(MINUTE);

    counts(store.purge_expired(&clock).await.unwrap(), 1, 1, 0);
    let mut left = foreign.to_vec();
    left.sort();
    assert_eq!(files(scratch.path()), left);
}

/// The driver cannot list such a name, and would end the listing with an error.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn neighbours_that_cannot_be_listed_do_not_matter() {
    use std::os::unix::ffi::OsStrExt;

    let scratch = tempfile::tempdir().unwrap();
    let (store, clock) = (Object::local(scratch.path()).unwrap(), HandClock::default());
    cache(&store, "users", &clock).ttl(MINUTE).insert("ada", 36).await.unwrap();
    fs::write(scratch.path().join(std::ffi::OsStr::from_bytes(b"\xFF\xFE")), "").unwrap();
    fs::write(scratch.path().join("new\nline"), "").unwrap();
    fs::create_dir(scratch.path().join("lost+found")).unwrap();
    fs::write(scratch.path().join("lost+found/new\nline"), "").unwrap();
    clock.advance(MINUTE);

    counts(store.purge_expired(&clock).await.unwrap(), 1, 1, 0);
}

#[tokio::test]
async fn purging_nothing_counts_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    for store in [Object::local(scratch.path()).unwrap(), Object::in_memory()] {
        assert_eq!(store.purge_expired(&HandClock::default()).await.unwrap(), Purged::default());
    }
    let gone = scratch.path().join("gone");
    let store = Object::local(&gone).unwrap();
    fs::remove_dir(&gone).unwrap();
    assert_eq!(store.purge_expired(&HandClock::default()).await.unwrap(), Purged::default());
}
