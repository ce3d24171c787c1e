//! The store: an engine, the deadlines of what is in it, and who wants to know of what leaves.

use crate::deadlines::Deadlines;
use crate::departure::Departure;
use crate::engine::{Engine, Gone};
use larder_core::{Capabilities, Cleared, Condemned, EachEntry, Entry, Lookup, Result, Store, Time, Usage};
use std::borrow::Borrow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

/// A store in process memory, bounded by entries or by weight.
///
/// It keeps values as they are and clones one for each hit, under a lock that inserts of some other keys need
/// too: wrap what is expensive to clone in an [`Arc`](std::sync::Arc). When it is full it evicts what is
/// unlikely to be read again, by how recently and how often it was. Which entry that is, is not promised.
///
/// # Capacity
///
/// The store never holds more than was asked for. With 1,024 entries or more, or a weight of 32 Mi or more, it
/// is divided into shards that fill unevenly, and it may begin to evict when it is some percent short of full.
///
/// # Expiry
///
/// Dead entries are freed without being read, when the clock ticks: at once in a store of up to 100,000
/// entries, and above that after at most 10 µs for each entry (10 s for a million), so that looking for them
/// takes some 0.2 % of one CPU and nothing while no deadline has passed. Until then a dead entry is not served
/// but takes up room; it is not evicted before others.
///
/// # Examples
///
/// ```
/// use larder_core::Cache;
/// use larder_memory::Memory;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let users = Cache::new(Memory::<str, u32>::new(1_000));
///
/// users.insert("ada", 36).await?;
/// assert_eq!(users.get("ada").await?, Some(36));
/// # larder_core::Result::Ok(()) }).unwrap();
/// ```
#[must_use = "a store does nothing until a cache is made of it"]
pub struct Memory<K: ?Sized + Lookup, V> {
    engine: Engine<K, V>,
    capacity: u64,
    deadlines: Deadlines,
    listener: Option<Listener<K, V>>,
}

type Listener<K, V> = Box<dyn Fn(&K, V, Departure) + Send + Sync>;

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Memory<K, V> {
    /// Makes a store of at most so many `entries`. Memory is taken as it fills.
    ///
    /// # Panics
    ///
    /// If `entries` is 0.
    pub fn new(entries: usize) -> Self {
        assert!(
            entries > 0,
            "a memory store of 0 entries keeps nothing: give it at least 1, or leave it out"
        );
        Self::over(Engine::counted(entries), entries as u64)
    }

    /// Makes a store of entries that together weigh at most `max_weight`, in any unit.
    ///
    /// `weigher` is asked once an insert; what weighs 0 counts as 1. An entry that weighs more than `max_weight`
    /// is not kept: what was under its key leaves as replaced, and the entry itself as
    /// [evicted](Departure::Evicted) at once. Large stores refuse more: from a `max_weight` of 1,000 on what
    /// weighs more than 90 % of it, and from 32 Mi on (32 MiB, if weights are bytes) what weighs more than
    /// 90 % of a shard. A ninth of `max_weight` is always taken.
    ///
    /// # Panics
    ///
    /// If `max_weight` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::Cache;
    /// use larder_memory::Memory;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pages = Cache::new(Memory::weighted(100, |url: &str, page: &String| (url.len() + page.len()) as u64));
    ///
    /// pages.insert("/large", "x".repeat(100)).await?;
    /// assert_eq!(pages.get("/large").await?, None);
    /// pages.insert("/small", "x".repeat(93)).await?;
    /// assert_eq!(pages.get("/small").await?, Some("x".repeat(93)));
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub fn weighted(max_weight: u64, weigher: impl Fn(&K, &V) -> u64 + Send + Sync + 'static) -> Self {
        assert!(
            max_weight > 0,
            "a memory store of weight 0 keeps nothing: give it at least 1, or leave it out"
        );
        Self::over(Engine::weighed(max_weight, Box::new(weigher)), max_weight)
    }

    fn over(engine: Engine<K, V>, capacity: u64) -> Self {
        Memory { engine, capacity, deadlines: Deadlines::new(), listener: None }
    }

    /// Has `listener` told of every entry that leaves, and why. It replaces the listener before it.
    ///
    /// The listener runs in the call that made the entry leave, after it took effect, on the same thread: that of
    /// whoever inserts, removes or clears, and for what [expires](Departure::Expired) the clock's. No lock is
    /// held, so it may use the cache; but an insert from it may evict, and so call it again. It must not block:
    /// async tasks and the housekeeping of every cache would wait. If it panics, the panic is reported like any
    /// other and goes no further; the entry has left all the same.
    ///
    /// Of what leaves in concurrent calls, also under one key, the order of the reports is not promised. What is
    /// in the store when it is dropped is not reported.
    pub fn on_departure(mut self, listener: impl Fn(&K, V, Departure) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    fn used(&self) -> Usage {
        Usage::new(self.engine.entries(), self.engine.weight()).of(self.capacity)
    }

    /// Parts with an entry that has left the engine. No lock may be held: this is where code of the user runs.
    fn depart(&self, key: &K::Owned, value: V, why: Departure) {
        if let Some(listener) = &self.listener {
            // The panic hook has reported it. Others that left together with this one are still to be told of.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(key.borrow(), value, why)));
        }
    }
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Store<K> for Memory<K, V> {
    type Value = V;

    async fn get(&self, key: &K) -> Result<Option<Entry<V>>> {
        Ok(self.engine.get(key))
    }

    async fn insert(&self, key: &K, entry: Entry<V>) -> Result<()> {
        let dead_at = entry.dead_at();
        let mut gone = Gone::new(self.listener.is_some());
        self.engine.insert(key, entry, &mut gone);
        // After the insert, or a sweep in between would forget it; before code of the user, which may panic.
        self.deadlines.note(dead_at);
        for left in gone {
            let why = if left.evicted { Departure::Evicted } else { Departure::Replaced };
            self.depart(&left.key, left.value, why);
        }
        Ok(())
    }

    async fn remove(&self, key: &K) -> Result<()> {
        if let Some((key, value)) = self.engine.remove(key) {
            self.depart(&key, value, Departure::Removed);
        }
        Ok(())
    }

    #[inline]
    fn get_now(&self, key: &K) -> Poll<Option<Entry<V>>> {
        Poll::Ready(self.engine.get(key))
    }

    async fn clear(&self) -> Result<Cleared> {
        for (key, value) in self.engine.drain() {
            self.depart(&key, value, Departure::Cleared);
        }
        Ok(Cleared::Done)
    }

    fn remove_where(&self, condemned: &Condemned<'_, K, V>) -> Option<u64> {
        let mut removed = 0;
        for key in self.engine.keys() {
            let key = key.borrow();
            let is_condemned = self.engine.peek(key).is_some_and(|entry| condemned(key, entry.value()));
            if is_condemned && let Some((key, value)) = self.engine.remove(key) {
                removed += 1;
                self.depart(&key, value, Departure::Removed);
            }
        }
        Some(removed)
    }

    fn for_each(&self, each: &mut EachEntry<'_, K, V>) -> bool {
        for key in self.engine.keys() {
            let key = key.borrow();
            if self.engine.peek(key).is_some_and(|entry| each(key, entry).is_break()) {
                break;
            }
        }
        true
    }

    fn sweep(&self, now: Time) {
        let Some(sweep) = self.deadlines.begin(now, || self.engine.entries()) else { return };
        let (dead, earliest) = self.engine.take_dead(now);
        sweep.end(earliest);
        for (key, value) in dead {
            self.depart(&key, value, Departure::Expired);
        }
    }

    fn usage(&self) -> Option<Usage> {
        Some(self.used())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.immediate().clear().sweep()
    }
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> fmt::Debug for Memory<K, V> {
    /// Prints how full the store is, never keys or values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.used();
        f.debug_struct("Memory")
            .field("entries", &used.entries)
            .field("weight", &used.weight)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
