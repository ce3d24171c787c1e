//! Writers that are killed at any moment lose nothing that they said was written, and leave nothing torn.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod files;
}

use bytes::Bytes;
use larder_core::{ByteStore, Cleared};
use larder_object::Object;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::clock::HandClock;
use support::files::files;

const FOLDER: &str = "LARDER_TEST_KILLED_FOLDER";
const KILLS: u64 = 200;
const WRITERS: u64 = 3;
/// Each writer writes to so many keys in turn, and so over what it wrote before.
const KEYS: u64 = 4;

/// A value that shows which it is and whether it is whole.
fn value(writer: u64, number: u64) -> Bytes {
    let mut bytes = format!("{writer} {number} ").into_bytes();
    bytes.resize(20_000 + usize::try_from(number * 7_919 % 300_000).unwrap(), b'a' + (number % 26) as u8);
    Bytes::from(bytes)
}

/// Returns the number of a value of that writer.
#[track_caller]
fn whole(writer: u64, bytes: &Bytes) -> u64 {
    let text = std::str::from_utf8(&bytes[..40]).unwrap();
    let number = text.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(*bytes == value(writer, number), "the value {number} of {writer} is torn");
    number
}

fn key(writer: u64, number: u64) -> String {
    format!("users:{writer}:{}", number % KEYS)
}

/// Not a test of its own: what is started to be killed. Writes until then, and tells of each value that was written.
#[test]
fn writer_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Object::local(folder).unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            std::thread::spawn(move || {
                for number in 0.. {
                    let key = key(writer, number);
                    let put = store.put(&key, value(writer, number), None);
                    futures::executor::block_on(put).unwrap();
                    // One write of a line: it is told as a whole or not at all.
                    let told = std::io::stdout().write_all(format!("wrote {writer} {number}\n").as_bytes());
                    if told.is_err() {
                        return;
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
}

/// Starts a writer, kills it after so many lines, and returns the last number that each thread told, by key.
fn kill_after(lines: u64, folder: &std::path::Path) -> HashMap<(u64, u64), u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_to_be_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = HashMap::new();
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // What the harness prints may share a line with the first.
        let line = line.unwrap();
        let Some((_, told_of)) = line.split_once("wrote ") else { continue };
        let (writer, number) = told_of.split_once(' ').unwrap();
        let (writer, number): (u64, u64) = (writer.parse().unwrap(), number.parse().unwrap());
        told.insert((writer, number % KEYS), number);
        count += 1;
        if count == lines {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "it ended before it was killed");
    assert!(count >= lines);
    told
}

#[test]
fn two_hundred_kills_lose_and_tear_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Object::local(scratch.path()).unwrap();
    let (mut told_of, mut newer, mut leftovers) = (0, 0, 0);
    for kill in 0..KILLS {
        // From the very first line on, at ever other places of the writers.
        let told = kill_after(1 + kill * 37 % 23, scratch.path());
        for ((writer, slot), number) in &told {
            let found = futures::executor::block_on(store.get(&key(*writer, *slot))).unwrap();
            let found = whole(*writer, &found.expect("what was told is there"));
            assert!(found >= *number, "{number} was told, and the older {found} is there");
            newer += u64::from(found > *number);
        }
        told_of += told.len();

        // Also what was being written for the first time is whole or not there.
        for writer in 0..WRITERS {
            for slot in 0..KEYS {
                if let Some(bytes) = futures::executor::block_on(store.get(&key(writer, slot))).unwrap() {
                    whole(writer, &bytes);
                }
            }
        }
        if kill % 20 == 19 {
            // Of each twenty kills, what was left behind; an hour later by the clock.
            let clock = HandClock::default();
            clock.advance(Duration::from_secs(100 * 365 * 24 * 3600));
            let purged = futures::executor::block_on(store.purge_expired(&clock)).unwrap();
            assert!(files(scratch.path()).iter().all(|path| !path.to_string_lossy().contains('#')));
            assert!(purged.leftovers <= 20 * WRITERS);
            leftovers += purged.leftovers;
        }
        let cleared = futures::executor::block_on(store.clear("users:")).unwrap();
        assert_eq!(cleared, Cleared::Done);
    }
    println!(
        "{told_of} values were told of, {newer} were newer than told, {leftovers} files were left behind"
    );
    assert!(leftovers > 0, "no kill came in the middle of a write");
}
