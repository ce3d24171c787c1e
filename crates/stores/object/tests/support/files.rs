//! A cache of JSON in a folder, and what is needed to meddle with its files.

#![allow(dead_code, reason = "no test uses all of it")]

use super::clock::HandClock;
use larder_codecs::Json;
use larder_core::{Cache, ErrorKind, Event};
use larder_object::Object;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What the cache told its observer.
#[derive(Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<Vec<ErrorKind>>>);

impl Failures {
    /// Returns the failures since the last call.
    pub(crate) fn take(&self) -> Vec<ErrorKind> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

pub(crate) type Texts = Cache<str, String, Object, Json>;

pub(crate) fn texts(store: Object, namespace: &str, clock: &HandClock) -> (Texts, Failures) {
    let failures = Failures::default();
    let observed = failures.clone();
    let cache = Cache::new(store).codec(Json).namespace(namespace).clock(clock.clone()).observer(
        move |event: &Event<'_>| {
            if let Event::LevelFailed { error, .. } = event {
                observed.0.lock().unwrap().push(error.kind());
            }
        },
    );
    (cache, failures)
}

/// Returns all files below a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Returns the only file whose bytes have `text` in them, such as a key.
pub(crate) fn file_with(folder: &Path, text: &str) -> PathBuf {
    let has = |path: &PathBuf| {
        std::fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    };
    let found: Vec<_> = files(folder).into_iter().filter(has).collect();
    assert_eq!(found.len(), 1, "{text} is in {found:?}");
    found.into_iter().next().unwrap()
}
