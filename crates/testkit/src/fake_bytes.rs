//! A store of bytes that records its calls, fails on demand, and can be stopped in the middle.

use crate::Gate;
use crate::calls::Calls;
use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Cleared, Operation, Result, Time, Usage};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

/// A store of bytes for tests. Clones are the same store, as connections to one server would be.
///
/// # Examples
///
/// ```
/// use larder_core::{Cache, Operation};
/// use larder_testkit::FakeBytes;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = FakeBytes::new();
/// let cache = Cache::new(store.clone());
/// store.fail(&[Operation::Read]);
///
/// assert_eq!(cache.get("ada").await.unwrap(), None); // a level that fails is passed over
/// assert_eq!(store.count(Operation::Read), 1);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FakeBytes(Arc<Inner>);

struct Inner {
    entries: Mutex<BTreeMap<String, Stored>>,
    calls: Calls,
}

struct Stored {
    bytes: Bytes,
    expires_at: Option<SystemTime>,
}

impl FakeBytes {
    /// Makes an empty store.
    pub fn new() -> Self {
        FakeBytes(Arc::new(Inner { entries: Mutex::default(), calls: Calls::new() }))
    }

    /// Returns the calls so far, in order.
    pub fn calls(&self) -> Vec<Operation> {
        self.0.calls.made()
    }

    /// Returns how often it was asked to do `operation`.
    pub fn count(&self, operation: Operation) -> usize {
        self.0.calls.count(operation)
    }

    /// Lets `operations`, and no others, fail from now on.
    pub fn fail(&self, operations: &[Operation]) {
        self.0.calls.fail(operations);
    }

    /// Returns the gate which `operation` passes once it was recorded, before it has any effect.
    pub fn gate(&self, operation: Operation) -> &Gate {
        self.0.calls.gate(operation)
    }

    /// Returns the bytes under the full key, such as `users:ada`, without a call being recorded.
    pub fn raw(&self, key: &str) -> Option<Bytes> {
        self.0.entries.lock().get(key).map(|stored| stored.bytes.clone())
    }

    /// Returns when the bytes under the full key were said to expire.
    pub fn expires_at(&self, key: &str) -> Option<SystemTime> {
        self.0.entries.lock().get(key)?.expires_at
    }

    /// Puts bytes under the full key as someone else would, without a call being recorded.
    pub fn put_raw(&self, key: &str, bytes: impl Into<Bytes>) {
        let stored = Stored { bytes: bytes.into(), expires_at: None };
        self.0.entries.lock().insert(key.into(), stored);
    }

    /// Returns all full keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.0.entries.lock().keys().cloned().collect()
    }
}

impl Default for FakeBytes {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("entries", &self.entries.lock().len()).finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for FakeBytes {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.calls.enter(Operation::Read, true).await?;
        Ok(self.raw(key))
    }

    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.0.calls.enter(Operation::Write, true).await?;
        self.0.entries.lock().insert(key.into(), Stored { bytes, expires_at });
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.0.calls.enter(Operation::Remove, true).await?;
        self.0.entries.lock().remove(key);
        Ok(())
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.calls.enter(Operation::Clear, true).await?;
        self.0.entries.lock().retain(|key, _| !key.starts_with(prefix));
        Ok(Cleared::Done)
    }

    fn sweep(&self, _now: Time) {}

    fn usage(&self) -> Option<Usage> {
        let entries = self.0.entries.lock();
        let weight = entries.values().map(|stored| stored.bytes.len() as u64).sum();
        Some(Usage::new(entries.len() as u64, weight))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear()
    }
}
