//! A disk that is full: an error, no torn value, and all is well once there is room.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
}

use larder_core::ErrorKind;
use larder_object::Object;
use std::path::Path;
use std::process::Command;
use support::clock::HandClock;
use support::files::{files, texts};

const FOLDER: &str = "LARDER_TEST_FULL_FOLDER";
const LIMIT: usize = 64 << 10;

/// Not a test of its own: what is started where no file may be larger than 64 KiB, so that the disk refuses what comes
/// after that in the middle of a file, as a full one does.
#[test]
fn writer_on_a_full_disk() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(write(Path::new(&folder)));
}

async fn write(folder: &Path) {
    let (users, failures) = texts(Object::local(folder).unwrap(), "users", &HandClock::default());
    users.insert("ada", "countess".into()).await.unwrap();
    users.insert("bob", "builder".into()).await.unwrap();
    assert_eq!(failures.take(), []);

    // One byte too many, half of it too many, many times.
    for length in [LIMIT, LIMIT * 2, LIMIT * 40] {
        let error = users.insert("ada", "x".repeat(length)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error:?}");
        assert_eq!(failures.take(), [ErrorKind::Store]);
        let load = move || async move { Ok::<_, std::convert::Infallible>("x".repeat(length)) };
        users.remove("eve").await.unwrap();
        assert_eq!(users.get_or_load("eve", load).await.unwrap().len(), length, "the caller has it");
        assert_eq!(failures.take(), [ErrorKind::Store]);

        let seen = users.get("ada").await.unwrap();
        assert!(
            seen.is_none() || seen.as_deref() == Some("countess"),
            "torn: {:?}",
            seen.map(|text| text.len())
        );
        assert_eq!(users.get("eve").await.unwrap(), None);
        assert_eq!(users.get("bob").await.unwrap().as_deref(), Some("builder"));
        assert_eq!(failures.take(), [], "nothing that is there is damaged");
        assert!(files(folder).len() <= 2, "what was staged is gone: {:?}", files(folder));
    }

    // There is room for this one.
    users.insert("ada", "mathematician".into()).await.unwrap();
    assert_eq!(users.get("ada").await.unwrap().as_deref(), Some("mathematician"));
    assert_eq!(failures.take(), []);
}

#[test]
fn a_full_disk_is_an_error_and_tears_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    // The limit ends a process by a signal, unless it ignores that.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", LIMIT / 1024);
    let output = Command::new("bash")
        .args(["-c", &script, "bash"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "writer_on_a_full_disk", "--nocapture", "--test-threads=1"])
        .env(FOLDER, scratch.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "{told}");
    assert_eq!(files(scratch.path()).len(), 2);
}
