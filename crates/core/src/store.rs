//! A store that keeps values themselves.

use crate::{Entry, Result, Time};
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Poll;

/// A store that keeps values as they are, under typed keys: memory.
///
/// A store outside the process keeps bytes; implement [`ByteStore`](crate::ByteStore) for it instead.
///
/// # Contract
///
/// - A store returns what it holds, of any age, and counts nothing. The cache judges, counts and loads.
/// - [`get`](Store::get) returns the entry most recently inserted, or nothing: a store may forget at any time.
/// - An insert that returned is seen by every later get, and a remove that returned is never undone by an
///   insert that was called before it.
/// - Dropping a future leaves the old entry, the new one, or none: never a mixture.
/// - A store may free an entry from its [`dead_at`](Entry::dead_at) on, which [`sweep`](Store::sweep) asks for.
/// - What [`capabilities`](Store::capabilities) claims is true. The conformance suite of `larder-testkit`
///   checks all of this: one macro call runs it on your store.
///
/// # Wrappers
///
/// A store that wraps another forwards every method, the provided ones too, and implements `ByteStore` as well
/// if it can: `#[deny(clippy::missing_trait_methods)]` on the impl finds what was forgotten.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep values under `{K}`",
    note = "implement `Store<{K}>`, or `ByteStore` for a store of bytes"
)]
pub trait Store<K: ?Sized>: Send + Sync + 'static {
    /// What is kept.
    type Value: Clone + Send + Sync + 'static;

    /// Returns the entry under `key`, of whatever age.
    fn get(&self, key: &K) -> impl Future<Output = Result<Option<Entry<Self::Value>>>> + Send;

    /// Puts `entry` under `key`, in place of what was there.
    fn insert(&self, key: &K, entry: Entry<Self::Value>) -> impl Future<Output = Result<()>> + Send;

    /// Removes what is under `key`, if anything.
    fn remove(&self, key: &K) -> impl Future<Output = Result<()>> + Send;

    /// Returns the entry without waiting: `Ready(None)` when there is none, `Pending` for "ask
    /// [`get`](Store::get)", which is the default.
    fn get_now(&self, key: &K) -> Poll<Option<Entry<Self::Value>>> {
        let _ = key;
        Poll::Pending
    }

    /// Removes every entry. The default removes none and says so.
    fn clear(&self) -> impl Future<Output = Result<Cleared>> + Send {
        async { Ok(Cleared::Unsupported) }
    }

    /// Removes the entries that `condemned` says yes to, and returns how many. It may be asked about an entry more than once,
    /// and holds no lock when it is asked. `None`, the default: the store cannot look at all its entries.
    fn remove_where(&self, condemned: &Condemned<'_, K, Self::Value>) -> Option<u64> {
        let _ = condemned;
        None
    }

    /// Hands every entry to `each`, of whatever age, in any order, until that says to break. It holds no lock meanwhile, and
    /// may hand an entry twice, or leave one out that comes or goes. `false`, the default: the store cannot look at all its
    /// entries.
    fn for_each(&self, each: &mut EachEntry<'_, K, Self::Value>) -> bool {
        let _ = each;
        false
    }

    /// Frees what is dead at `now`. Called about once a second by a cache whose entries expire; the default
    /// does nothing.
    fn sweep(&self, now: Time) {
        let _ = now;
    }

    /// Returns how full the store is, if it knows.
    fn usage(&self) -> Option<Usage> {
        None
    }

    /// Returns what this store can do beside the required methods.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}

/// Says of an entry whether it is to go: [`Store::remove_where`].
pub type Condemned<'a, K, V> = dyn Fn(&K, &V) -> bool + Send + Sync + 'a;

/// Takes an entry, and says whether it wants another: [`Store::for_each`].
pub type EachEntry<'a, K, V> = dyn FnMut(&K, Entry<V>) -> ControlFlow<()> + Send + 'a;

/// What became of a request to remove every entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an unsupported clear removed nothing"]
pub enum Cleared {
    /// Every entry that was asked for is gone.
    Done,
    /// The store cannot do this; nothing was removed.
    Unsupported,
}

/// How full a store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Entries held, dead ones that were not yet freed included.
    pub entries: u64,
    /// Their weight, in the unit of the store's capacity; the number of entries where each weighs one.
    pub weight: u64,
    /// The weight that the store holds at most.
    pub capacity: Option<u64>,
}

impl Usage {
    /// Makes a usage without a capacity.
    pub const fn new(entries: u64, weight: u64) -> Self {
        Usage { entries, weight, capacity: None }
    }

    /// Sets the weight that the store holds at most.
    #[must_use = "the usage is returned, not changed in place"]
    pub const fn of(mut self, capacity: u64) -> Self {
        self.capacity = Some(capacity);
        self
    }
}

/// What a store can do beside the required methods. Nothing, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a claim of its own")]
pub struct Capabilities {
    /// `get_now` never answers `Pending`, and the futures of all methods are done when first polled.
    pub immediate: bool,
    /// `clear` removes.
    pub clear: bool,
    /// `sweep` frees every dead entry.
    pub sweep: bool,
    /// Of a store of bytes: `get_with_token`, `guard` and `put_if` compare and set.
    pub put_if: bool,
    /// Of a store of bytes: what was put with a deadline that has passed is not there.
    pub expires: bool,
}

impl Capabilities {
    /// No capability; what a store begins with to say what it can.
    pub const NONE: Capabilities =
        Capabilities { immediate: false, clear: false, sweep: false, put_if: false, expires: false };

    /// Claims that no method ever waits.
    #[must_use = "the capabilities are returned, not changed in place"]
    pub const fn immediate(mut self) -> Self {
        self.immediate = true;
        self
    }

    /// Claims that `clear` removes.
    #[must_use = "the capabilities are returned, not changed in place"]
    pub const fn clear(mut self) -> Self {
        self.clear = true;
        self
    }

    /// Claims that `sweep` frees every dead entry.
    #[must_use = "the capabilities are returned, not changed in place"]
    pub const fn sweep(mut self) -> Self {
        self.sweep = true;
        self
    }

    /// Claims that `get_with_token`, `guard` and `put_if` compare and set.
    #[must_use = "the capabilities are returned, not changed in place"]
    pub const fn put_if(mut self) -> Self {
        self.put_if = true;
        self
    }

    /// Claims that bytes whose deadline has passed are not there.
    #[must_use = "the capabilities are returned, not changed in place"]
    pub const fn expires(mut self) -> Self {
        self.expires = true;
        self
    }
}

/// One store may serve many caches.
#[deny(clippy::missing_trait_methods)]
impl<K: ?Sized, S: Store<K>> Store<K> for Arc<S> {
    type Value = S::Value;

    fn get(&self, key: &K) -> impl Future<Output = Result<Option<Entry<Self::Value>>>> + Send {
        (**self).get(key)
    }
    fn insert(&self, key: &K, entry: Entry<Self::Value>) -> impl Future<Output = Result<()>> + Send {
        (**self).insert(key, entry)
    }
    fn remove(&self, key: &K) -> impl Future<Output = Result<()>> + Send {
        (**self).remove(key)
    }
    #[inline]
    fn get_now(&self, key: &K) -> Poll<Option<Entry<Self::Value>>> {
        (**self).get_now(key)
    }
    fn clear(&self) -> impl Future<Output = Result<Cleared>> + Send {
        (**self).clear()
    }
    fn remove_where(&self, condemned: &Condemned<'_, K, Self::Value>) -> Option<u64> {
        (**self).remove_where(condemned)
    }
    fn for_each(&self, each: &mut EachEntry<'_, K, Self::Value>) -> bool {
        (**self).for_each(each)
    }
    fn sweep(&self, now: Time) {
        (**self).sweep(now);
    }
    fn usage(&self) -> Option<Usage> {
        (**self).usage()
    }
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }
}
