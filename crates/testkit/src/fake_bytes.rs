//! A store of bytes that records its calls, fails on demand, and can be stopped in the middle.

use crate::Gate;
use crate::calls::Calls;
use bytes::Bytes;
use larder_core::{
    ByteStore, Capabilities, Cleared, Operation, Put, PutIf, Record, Result, SharedLog, Time, Token, Usage,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

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
    /// How many states there were, of all keys: no number is used again.
    states: AtomicU64,
}

struct Stored {
    /// `None` for a guard. It lasts as long as the store: fakes have no time.
    bytes: Option<Bytes>,
    expires_at: Option<SystemTime>,
    state: u64,
}

impl Inner {
    fn store(
        &self,
        entries: &mut BTreeMap<String, Stored>,
        key: &str,
        bytes: Option<Bytes>,
        expires_at: Option<SystemTime>,
    ) -> Token {
        let state = self.states.fetch_add(1, Relaxed);
        entries.insert(key.into(), Stored { bytes, expires_at, state });
        token(state)
    }
}

fn token(state: u64) -> Token {
    Token::new(state.to_be_bytes().to_vec())
}

impl FakeBytes {
    /// Makes an empty store.
    pub fn new() -> Self {
        FakeBytes(Arc::new(Inner {
            entries: Mutex::default(),
            calls: Calls::new(),
            states: AtomicU64::new(0),
        }))
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
        self.0.entries.lock().get(key)?.bytes.clone()
    }

    /// Returns when the bytes under the full key were said to expire.
    pub fn expires_at(&self, key: &str) -> Option<SystemTime> {
        self.0.entries.lock().get(key)?.expires_at
    }

    /// Puts bytes under the full key as someone else would, without a call being recorded.
    pub fn put_raw(&self, key: &str, bytes: impl Into<Bytes>) {
        self.0.store(&mut self.0.entries.lock(), key, Some(bytes.into()), None);
    }

    /// Returns all full keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        let entries = self.0.entries.lock();
        entries.iter().filter(|(_, stored)| stored.bytes.is_some()).map(|(key, _)| key.clone()).collect()
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
        self.0.store(&mut self.0.entries.lock(), key, Some(bytes), expires_at);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.0.calls.enter(Operation::Remove, true).await?;
        self.0.entries.lock().remove(key);
        Ok(())
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        match self.0.calls.enter(Operation::Read, true).await {
            Ok(()) => keys.iter().map(|key| Ok(self.raw(key))).collect(),
            Err(error) => keys.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        if let Err(error) = self.0.calls.enter(Operation::Write, true).await {
            return puts.iter().map(|_| Err(error.clone())).collect();
        }
        let mut entries = self.0.entries.lock();
        for put in puts {
            self.0.store(&mut entries, put.key, Some(put.bytes.clone()), put.expires_at);
        }
        puts.iter().map(|_| Ok(())).collect()
    }

    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        if let Err(error) = self.0.calls.enter(Operation::Remove, true).await {
            return keys.iter().map(|_| Err(error.clone())).collect();
        }
        let mut entries = self.0.entries.lock();
        for key in keys {
            entries.remove(*key);
        }
        keys.iter().map(|_| Ok(())).collect()
    }

    async fn get_with_token(&self, key: &str, _guard_for: Duration) -> Result<Record> {
        self.0.calls.enter(Operation::Read, true).await?;
        let mut entries = self.0.entries.lock();
        Ok(match entries.get(key) {
            Some(stored) => Record::new(stored.bytes.clone(), token(stored.state)),
            None => Record::new(None, self.0.store(&mut entries, key, None, None)),
        })
    }

    async fn guard(&self, key: &str, _guard_for: Duration) -> Result<Option<Token>> {
        self.0.calls.enter(Operation::Remove, true).await?;
        Ok(Some(self.0.store(&mut self.0.entries.lock(), key, None, None)))
    }

    async fn put_if(
        &self,
        key: &str,
        token_then: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        self.0.calls.enter(Operation::Write, true).await?;
        let mut entries = self.0.entries.lock();
        if entries.get(key).is_none_or(|stored| token(stored.state) != *token_then) {
            return Ok(PutIf::Refused);
        }
        self.0.store(&mut entries, key, Some(bytes), expires_at);
        Ok(PutIf::Done)
    }

    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        None
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.calls.enter(Operation::Clear, true).await?;
        self.0.entries.lock().retain(|key, _| !key.starts_with(prefix));
        Ok(Cleared::Done)
    }

    fn sweep(&self, _now: Time) {}

    fn usage(&self) -> Option<Usage> {
        let entries = self.0.entries.lock();
        let held = entries.values().filter_map(|stored| stored.bytes.as_ref());
        let (count, weight) =
            held.fold((0, 0), |(count, weight), bytes| (count + 1, weight + bytes.len() as u64));
        Some(Usage::new(count, weight))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear().put_if()
    }

    fn name(&self) -> &'static str {
        "FakeBytes"
    }
}
