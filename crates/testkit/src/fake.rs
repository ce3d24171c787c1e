//! A store of values that records its calls, fails on demand, and, as a remote one, can be stopped in the middle.

use crate::Gate;
use crate::calls::Calls;
use larder_core::{
    Capabilities, Cleared, Condemned, EachEntry, Entry, Lookup, Operation, Result, Store, Time, Usage,
};
use parking_lot::Mutex;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

/// A store of values for tests. Clones are the same store.
///
/// # Examples
///
/// ```
/// use larder_core::{Cache, Operation};
/// use larder_testkit::Fake;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Fake::<str, u32>::new();
/// let cache = Cache::new(store.clone());
///
/// cache.insert("ada", 36).await.unwrap();
/// cache.get("ada").await.unwrap();
/// assert_eq!(store.calls(), [Operation::Write, Operation::Read]);
/// # });
/// ```
pub struct Fake<K: ?Sized + Lookup, V>(Arc<Inner<K, V>>);

struct Inner<K: ?Sized + Lookup, V> {
    entries: Mutex<HashMap<K::Owned, Entry<V>>>,
    calls: Calls,
    remote: bool,
}

impl<K: ?Sized + Lookup, V> Fake<K, V> {
    /// Makes an empty store that answers at once, as memory does.
    pub fn new() -> Self {
        Self::make(false)
    }

    /// Makes an empty store that does not claim to answer at once, as what is far away.
    pub fn remote() -> Self {
        Self::make(true)
    }

    fn make(remote: bool) -> Self {
        Fake(Arc::new(Inner { entries: Mutex::default(), calls: Calls::new(), remote }))
    }

    /// Returns the calls so far, in order. A look without waiting is a read.
    pub fn calls(&self) -> Vec<Operation> {
        self.0.calls.made()
    }

    /// Returns how often it was asked to do `operation`.
    pub fn count(&self, operation: Operation) -> usize {
        self.0.calls.count(operation)
    }

    /// Lets `operations`, and no others, fail from now on.
    ///
    /// # Panics
    ///
    /// If reads are to fail and the fake answers at once: looking without waiting cannot fail. Use
    /// [`remote`](Self::remote).
    pub fn fail(&self, operations: &[Operation]) {
        let reads = operations.contains(&Operation::Read);
        assert!(
            self.is_remote() || !reads,
            "a fake that answers at once cannot fail to read: `Fake::remote()` can"
        );
        self.0.calls.fail(operations);
    }

    /// Returns the gate which `operation` passes once it was recorded.
    ///
    /// # Panics
    ///
    /// If the fake answers at once: it never waits, and so has no gates. Use [`remote`](Self::remote).
    pub fn gate(&self, operation: Operation) -> &Gate {
        assert!(self.is_remote(), "a fake that answers at once has no gates: `Fake::remote()` has");
        self.0.calls.gate(operation)
    }

    /// Whether callers may have to wait. One that answers at once has no gates: passing one may wait even if it is
    /// open, because tokio makes tasks yield now and then.
    fn is_remote(&self) -> bool {
        self.0.remote
    }

    /// Returns how many entries there are, dead ones included.
    pub fn len(&self) -> usize {
        self.0.entries.lock().len()
    }

    /// Returns whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: ?Sized + Lookup, V> Default for Fake<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: ?Sized + Lookup, V> Clone for Fake<K, V> {
    fn clone(&self) -> Self {
        Fake(Arc::clone(&self.0))
    }
}

impl<K: ?Sized + Lookup, V> std::fmt::Debug for Fake<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake").field("entries", &self.len()).finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<K, V> Store<K> for Fake<K, V>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
{
    type Value = V;

    async fn get(&self, key: &K) -> Result<Option<Entry<V>>> {
        self.0.calls.enter(Operation::Read, self.is_remote()).await?;
        Ok(self.0.entries.lock().get(key).cloned())
    }

    async fn insert(&self, key: &K, entry: Entry<V>) -> Result<()> {
        self.0.calls.enter(Operation::Write, self.is_remote()).await?;
        self.0.entries.lock().insert(key.to_owned(), entry);
        Ok(())
    }

    async fn remove(&self, key: &K) -> Result<()> {
        self.0.calls.enter(Operation::Remove, self.is_remote()).await?;
        self.0.entries.lock().remove(key);
        Ok(())
    }

    fn get_now(&self, key: &K) -> Poll<Option<Entry<V>>> {
        if self.is_remote() {
            return Poll::Pending;
        }
        self.0.calls.note(Operation::Read);
        Poll::Ready(self.0.entries.lock().get(key.borrow()).cloned())
    }

    async fn clear(&self) -> Result<Cleared> {
        self.0.calls.enter(Operation::Clear, self.is_remote()).await?;
        self.0.entries.lock().clear();
        Ok(Cleared::Done)
    }

    fn remove_where(&self, condemned: &Condemned<'_, K, V>) -> Option<u64> {
        self.0.calls.note(Operation::Remove);
        let held = self.0.entries.lock().clone();
        let gone = held.iter().filter(|(key, entry)| condemned((*key).borrow(), entry.value()));
        let removed = gone.filter(|(key, _)| self.0.entries.lock().remove((*key).borrow()).is_some());
        Some(removed.count() as u64)
    }

    fn for_each(&self, each: &mut EachEntry<'_, K, V>) -> bool {
        self.0.calls.note(Operation::Read);
        let held = self.0.entries.lock().clone();
        let _ = held.into_iter().try_for_each(|(key, entry)| each(key.borrow(), entry));
        true
    }

    fn sweep(&self, now: Time) {
        self.0.entries.lock().retain(|_, entry| entry.dead_at() > now);
    }

    fn usage(&self) -> Option<Usage> {
        let entries = self.len() as u64;
        Some(Usage::new(entries, entries))
    }

    fn capabilities(&self) -> Capabilities {
        let capabilities = Capabilities::NONE.clear().sweep();
        if self.is_remote() { capabilities } else { capabilities.immediate() }
    }
}
