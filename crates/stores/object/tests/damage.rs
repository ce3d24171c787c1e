//! Files that were cut, changed, swapped or put there by others: a miss and an event, and nothing else
//! suffers.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
}

use larder_core::ErrorKind::{Corrupt, Store, TooLarge};
use larder_object::Object;
use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use support::clock::HandClock;
use support::files::{Failures, Texts, file_with, texts};
use tempfile::TempDir;

/// Two users in a folder, one of whose files is to be damaged.
struct Scene {
    _scratch: TempDir,
    users: Texts,
    failures: Failures,
    ada: PathBuf,
    bob: PathBuf,
}

async fn scene() -> Scene {
    let scratch = tempfile::tempdir().unwrap();
    let (users, failures) = texts(Object::local(scratch.path()).unwrap(), "users", &HandClock::default());
    users.insert("ada", "countess".into()).await.unwrap();
    users.insert("bob", "builder".into()).await.unwrap();
    let ada = file_with(scratch.path(), "users:ada");
    let bob = file_with(scratch.path(), "users:bob");
    Scene { _scratch: scratch, users, failures, ada, bob }
}

impl Scene {
    async fn ada_is_missed_with(&self, events: &[larder_core::ErrorKind], what: &str) {
        assert_eq!(self.users.get("ada").await.unwrap(), None, "{what}");
        assert_eq!(self.failures.take(), events, "{what}");
        self.bob_is_well(what).await;
    }

    async fn bob_is_well(&self, what: &str) {
        assert_eq!(self.users.get("bob").await.unwrap().as_deref(), Some("builder"), "{what}");
        assert_eq!(self.failures.take(), [], "{what}");
    }

    async fn a_load_writes_her_anew(&self, what: &str) {
        let load = async || Ok::<_, Infallible>("loaded".to_string());
        assert_eq!(self.users.get_or_load("ada", load).await.unwrap(), "loaded", "{what}");
        self.failures.take();
        assert_eq!(self.users.get("ada").await.unwrap().as_deref(), Some("loaded"), "{what}");
        assert_eq!(self.failures.take(), [], "{what}");
    }
}

#[tokio::test]
async fn a_file_cut_anywhere_is_a_miss_until_it_is_loaded_again() {
    let scene = scene().await;
    let whole = fs::read(&scene.ada).unwrap();
    for length in 0..whole.len() {
        fs::write(&scene.ada, &whole[..length]).unwrap();
        scene.ada_is_missed_with(&[Corrupt], &format!("cut at {length}")).await;
    }
    scene.a_load_writes_her_anew("cut").await;
}

#[tokio::test]
async fn a_file_with_a_changed_byte_is_a_miss() {
    let scene = scene().await;
    let whole = fs::read(&scene.ada).unwrap();
    for position in 0..whole.len() {
        for change in [0x01, 0x80, 0xFF] {
            let mut changed = whole.clone();
            changed[position] ^= change;
            fs::write(&scene.ada, &changed).unwrap();
            scene.ada_is_missed_with(&[Corrupt], &format!("byte {position} ^ {change:#x}")).await;
        }
    }
    scene.a_load_writes_her_anew("changed").await;
}

#[tokio::test]
async fn a_file_that_grew_is_a_miss() {
    let scene = scene().await;
    let mut grown = fs::read(&scene.ada).unwrap();
    grown.push(b' ');
    fs::write(&scene.ada, grown).unwrap();
    scene.ada_is_missed_with(&[Corrupt], "grown").await;
}

#[tokio::test]
async fn a_file_of_someone_else_is_a_miss_until_it_is_loaded_again() {
    for foreign in [&b"{\"name\":\"ada\"}"[..], b"\xFEL\x02newer", &[0; 4096], b"\xFE"] {
        let scene = scene().await;
        fs::write(&scene.ada, foreign).unwrap();
        scene.ada_is_missed_with(&[Corrupt], "foreign").await;
        scene.a_load_writes_her_anew("foreign").await;
    }
}

#[tokio::test]
async fn the_file_of_another_key_is_a_miss_and_not_his_value() {
    let scene = scene().await;
    fs::copy(&scene.bob, &scene.ada).unwrap();
    scene.ada_is_missed_with(&[Corrupt], "swapped").await;
    scene.a_load_writes_her_anew("swapped").await;
}

#[tokio::test]
async fn a_file_of_another_namespace_is_a_miss() {
    let scene = scene().await;
    let folder = scene.ada.parent().unwrap().parent().unwrap().parent().unwrap();
    let (admins, failures) = texts(Object::local(folder).unwrap(), "admins", &HandClock::default());
    admins.insert("ada", "root".into()).await.unwrap();

    fs::copy(file_with(folder, "admins:ada"), &scene.ada).unwrap();
    scene.ada_is_missed_with(&[Corrupt], "of another namespace").await;
    assert_eq!(admins.get("ada").await.unwrap().as_deref(), Some("root"));
    assert_eq!(failures.take(), []);
}

/// A file that the file system says has a tebibyte, and takes no space.
#[tokio::test]
async fn a_huge_file_is_a_miss_that_reads_nothing() {
    let scene = scene().await;
    fs::File::create(&scene.ada).unwrap().set_len(1 << 40).unwrap();
    scene.ada_is_missed_with(&[TooLarge], "huge").await;
    scene.a_load_writes_her_anew("huge").await;
}

#[tokio::test]
async fn a_folder_in_the_place_of_a_file_is_a_miss_and_stays() {
    let scene = scene().await;
    fs::remove_file(&scene.ada).unwrap();
    fs::create_dir(&scene.ada).unwrap();
    fs::write(scene.ada.join("notes.txt"), "mine").unwrap();

    // Nothing is there that could be read, so no event.
    scene.ada_is_missed_with(&[], "a folder").await;
    let load = async || Ok::<_, Infallible>("loaded".to_string());
    assert_eq!(scene.users.get_or_load("ada", load).await.unwrap(), "loaded");
    assert_eq!(scene.failures.take(), [Store], "the value could not be stored");
    assert_eq!(fs::read(scene.ada.join("notes.txt")).unwrap(), b"mine");
    scene.bob_is_well("a folder").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_nowhere_is_a_miss_until_it_is_loaded_again() {
    let scene = scene().await;
    fs::remove_file(&scene.ada).unwrap();
    std::os::unix::fs::symlink("/nowhere", &scene.ada).unwrap();
    scene.ada_is_missed_with(&[], "a link").await;
    scene.a_load_writes_her_anew("a link").await;
}

/// What was written may be read by another process at any time, so a link must be replaced, not followed.
#[cfg(unix)]
#[tokio::test]
async fn a_put_does_not_write_through_a_link() {
    let scene = scene().await;
    let target = scene.ada.with_file_name("precious");
    fs::write(&target, "precious").unwrap();
    fs::remove_file(&scene.ada).unwrap();
    std::os::unix::fs::symlink(&target, &scene.ada).unwrap();

    scene.users.insert("ada", "countess".into()).await.unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    assert_eq!(scene.users.get("ada").await.unwrap().as_deref(), Some("countess"));
}
