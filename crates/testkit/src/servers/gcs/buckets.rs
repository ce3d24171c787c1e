//! What is kept: buckets of objects, and uploads that are under way.

use super::conditions::Expected;
use super::uploads::Upload;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::time::SystemTime;

/// All buckets of a server.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// Held for one operation, so that a condition and the write it is about are one step.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    buckets: HashMap<String, Bucket>,
    /// The last number that was given to anything. They only grow, so that no generation comes back after a deletion.
    last_number: u64,
}

#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: HashMap<String, Upload>,
}

/// An object. Clones share the content.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) content: Bytes,
    /// The headers that come back with it.
    pub(super) attributes: HeaderMap,
    pub(super) generation: u64,
    pub(super) e_tag: String,
    pub(super) modified: SystemTime,
}

/// Why something was refused: the status, and the code that stands in the answer.
pub(super) type Refusal = (StatusCode, &'static str);

pub(super) const NO_SUCH_KEY: Refusal = (StatusCode::NOT_FOUND, "NoSuchKey");
const NO_SUCH_BUCKET: Refusal = (StatusCode::NOT_FOUND, "NoSuchBucket");

impl Buckets {
    /// Makes a bucket. One that is there remains as it is.
    pub(super) fn make(&self, name: &str) {
        self.state.lock().buckets.entry(name.to_owned()).or_default();
    }

    /// Does something with a bucket. The function that it gets returns a new number each time.
    pub(super) fn with<T>(
        &self,
        name: &str,
        operation: impl FnOnce(&mut Bucket, &mut dyn FnMut() -> u64) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let State { buckets, last_number } = &mut *self.state.lock();
        let bucket = buckets.get_mut(name).ok_or(NO_SUCH_BUCKET)?;
        operation(bucket, &mut || {
            *last_number += 1;
            // They look like the original's, which are microseconds.
            1_700_000_000_000_000 + *last_number
        })
    }
}

impl Bucket {
    pub(super) fn get(&self, key: &str) -> Result<&Object, Refusal> {
        self.objects.get(key).ok_or(NO_SUCH_KEY)
    }

    /// Writes an object if its present state is the expected one.
    pub(super) fn put(
        &mut self,
        key: &str,
        expected: &Expected,
        generation: u64,
        content: Bytes,
        attributes: HeaderMap,
    ) -> Result<&Object, Refusal> {
        expected.check(self.objects.get(key))?;
        let (e_tag, modified) = (e_tag(&content), now());
        let object = Object { content, attributes, generation, e_tag, modified };
        self.objects.insert(key.to_owned(), object);
        Ok(&self.objects[key])
    }

    /// Removes an object if its present state is the expected one.
    pub(super) fn delete(&mut self, key: &str, expected: &Expected) -> Result<(), Refusal> {
        expected.check(self.objects.get(key))?;
        self.objects.remove(key).map(drop).ok_or(NO_SUCH_KEY)
    }
}

/// The same for the same content, as with the original, where it is the MD5.
pub(super) fn e_tag(content: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in Sha256::digest(content).iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

#[expect(
    clippy::disallowed_methods,
    reason = "clients want a date; the tests of caches go by the clock of the cache"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
