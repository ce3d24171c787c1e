//! The table and its eviction policy: `quick_cache`, a clock with a small queue for new entries and a memory of
//! evicted keys. No other file knows of it.
//!
//! What it asks of its caller: nothing that left the engine is dropped under its locks, and no code of the user
//! runs there but `Hash`, `Eq` and `Clone`. So whatever leaves is handed out ([`Gone`]), weights are asked for
//! beforehand and kept, and dead entries are looked up first and taken out one by one.

use crate::layout::Layout;
use foldhash::fast::RandomState;
use larder_core::{Entry, Lookup, Time};
use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};
use std::cell::{Cell, RefCell};
use std::hash::Hash;
use std::mem::needs_drop;
use std::thread::available_parallelism;

/// Tells how heavy a value is.
type Weigher<K, V> = Box<dyn Fn(&K, &V) -> u64 + Send + Sync>;

/// A bounded table. Two forms, because a kept weight makes every slot 8 bytes larger.
pub(crate) enum Engine<K: ?Sized + Lookup, V> {
    /// Bounded by the number of entries.
    Counted(Shards<K::Owned, V, One>),
    /// Bounded by their weight.
    Weighed { shards: Shards<K::Owned, V, u64>, weigher: Weigher<K, V>, heaviest: u64 },
}

/// Runs one expression on the shards of either form.
macro_rules! on_shards {
    ($engine:expr, $shards:ident => $run:expr) => {
        match $engine {
            Engine::Counted($shards) => $run,
            Engine::Weighed { shards: $shards, .. } => $run,
        }
    };
}

impl<K: ?Sized + Lookup, V: Clone> Engine<K, V> {
    pub(crate) fn counted(entries: usize) -> Self {
        Engine::Counted(Shards::new(&Layout::of_entries(entries, threads())))
    }

    pub(crate) fn weighed(max_weight: u64, weigher: Weigher<K, V>) -> Self {
        let layout = Layout::of_weight(max_weight, threads());
        Engine::Weighed { shards: Shards::new(&layout), weigher, heaviest: layout.heaviest() }
    }

    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<Entry<V>> {
        on_shards!(self, shards => shards.cache.get(key).map(|held| held.entry))
    }

    /// Puts an entry in, and into `gone` what had to go for it.
    #[inline]
    pub(crate) fn insert(&self, key: &K, entry: Entry<V>, gone: &mut Gone<K::Owned, V>) {
        match self {
            Engine::Counted(shards) => {
                shards.cache.insert_with_lifecycle(key.to_owned(), Held { entry, weight: One }, gone);
            }
            Engine::Weighed { shards, weigher, heaviest } => {
                // What weighs nothing would never be evicted.
                let weight = weigher(key, entry.value()).max(1);
                if weight <= *heaviest {
                    return shards.cache.insert_with_lifecycle(key.to_owned(), Held { entry, weight }, gone);
                }
                if let Some((key, old)) = shards.remove(key) {
                    gone.push(key, old, false);
                }
                gone.push(key.to_owned(), entry.into_value(), true);
            }
        }
    }

    pub(crate) fn remove(&self, key: &K) -> Option<(K::Owned, V)> {
        on_shards!(self, shards => shards.remove(key))
    }

    /// Looks at an entry without a trace: it does not become more worth keeping.
    pub(crate) fn peek(&self, key: &K) -> Option<Entry<V>> {
        on_shards!(self, shards => shards.cache.peek(key).map(|held| held.entry))
    }

    /// The keys that are there now.
    pub(crate) fn keys(&self) -> Vec<K::Owned> {
        on_shards!(self, shards => shards.keys())
    }

    /// Takes out all entries that are there now, one with each step.
    pub(crate) fn drain(&self) -> impl Iterator<Item = (K::Owned, V)> + '_ {
        let (counted, weighed) = match self {
            Engine::Counted(shards) => (Some(shards.drain()), None),
            Engine::Weighed { shards, .. } => (None, Some(shards.drain())),
        };
        counted.into_iter().flatten().chain(weighed.into_iter().flatten())
    }

    /// Takes out what is dead at `now`, and returns the earliest deadline of the rest.
    pub(crate) fn take_dead(&self, now: Time) -> (Vec<(K::Owned, V)>, Time) {
        on_shards!(self, shards => shards.take_dead(now))
    }

    pub(crate) fn entries(&self) -> u64 {
        on_shards!(self, shards => shards.cache.len() as u64)
    }

    pub(crate) fn weight(&self) -> u64 {
        on_shards!(self, shards => shards.cache.weight())
    }
}

fn threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// The engine itself, for entries whose weight is a `W`.
pub(crate) struct Shards<K, V, W> {
    cache: Cache<K, Held<V, W>, AsKept, RandomState, Collect>,
}

impl<K: Hash + Eq + Clone, V: Clone, W: Weight> Shards<K, V, W> {
    fn new(layout: &Layout) -> Self {
        let options = OptionsBuilder::new()
            .shards(layout.shards)
            .weight_capacity(layout.share * layout.shards as u64)
            .estimated_items_capacity(layout.entries)
            .hot_allocation(layout.proven)
            .build()
            .expect("both capacities are set, and nothing else can be missing");
        Shards { cache: Cache::with_options(options, AsKept, RandomState::default(), Collect) }
    }

    fn remove<Q>(&self, key: &Q) -> Option<(K, V)>
    where
        Q: ?Sized + Hash + quick_cache::Equivalent<K>,
    {
        self.cache.remove(key).map(|(key, held)| (key, held.entry.into_value()))
    }

    fn drain(&self) -> impl Iterator<Item = (K, V)> + '_ {
        self.cache.drain().map(|(key, held)| (key, held.entry.into_value()))
    }

    fn keys(&self) -> Vec<K> {
        let keys = RefCell::new(Vec::with_capacity(self.cache.len()));
        // As below.
        self.cache.retain(|key, _| {
            keys.borrow_mut().push(key.clone());
            true
        });
        keys.into_inner()
    }

    fn take_dead(&self, now: Time) -> (Vec<(K, V)>, Time) {
        let dead = RefCell::new(Vec::new());
        let earliest = Cell::new(Time::NEVER);
        // `retain` is the engine's only way to read all entries without cloning them. It would also remove, but
        // drops what it removes under its lock.
        self.cache.retain(|key, held| {
            let dead_at = held.entry.dead_at();
            if dead_at <= now {
                dead.borrow_mut().push(key.clone());
            } else {
                earliest.set(earliest.get().min(dead_at));
            }
            true
        });
        let take = |key: K| self.cache.remove_if(&key, |held| held.entry.dead_at() <= now);
        let taken = dead.into_inner().into_iter().filter_map(take);
        (taken.map(|(key, held)| (key, held.entry.into_value())).collect(), earliest.get())
    }
}

/// What the engine keeps under a key.
#[derive(Clone)]
struct Held<V, W> {
    entry: Entry<V>,
    /// Asked for once: the engine's sums would not survive a weight that changes.
    weight: W,
}

/// A weight as it is kept, at least 1.
pub(crate) trait Weight: Copy {
    fn amount(self) -> u64;
}

/// The weight of an entry that is counted, which needs no room.
#[derive(Clone, Copy)]
pub(crate) struct One;

impl Weight for One {
    #[inline]
    fn amount(self) -> u64 {
        1
    }
}

impl Weight for u64 {
    #[inline]
    fn amount(self) -> u64 {
        self
    }
}

/// Tells the engine the weight that is kept.
#[derive(Clone)]
struct AsKept;

impl<K, V, W: Weight> Weighter<K, Held<V, W>> for AsKept {
    #[inline]
    fn weight(&self, _: &K, held: &Held<V, W>) -> u64 {
        held.weight.amount()
    }
}

/// What left the engine in one insert, in the order of leaving.
pub(crate) struct Gone<K, V> {
    /// Someone wants to know; else only what has a destructor is collected.
    reported: bool,
    /// From here on, entries leave for want of room.
    evicting: bool,
    /// Apart, so that an insert allocates only if it is heavy enough to drive out several.
    first: Option<Left<K, V>>,
    rest: Vec<Left<K, V>>,
}

/// An entry that left in an insert.
pub(crate) struct Left<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    /// For want of room; else it was replaced.
    pub(crate) evicted: bool,
}

impl<K, V> Gone<K, V> {
    pub(crate) fn new(reported: bool) -> Self {
        Gone { reported, evicting: false, first: None, rest: Vec::new() }
    }

    #[inline]
    fn push(&mut self, key: K, value: V, evicted: bool) {
        if !self.reported && !needs_drop::<(K, V)>() {
            return;
        }
        let left = Left { key, value, evicted };
        if self.first.is_none() {
            self.first = Some(left);
        } else {
            self.rest.push(left);
        }
    }
}

/// What the engine asks for; inserts bring their own.
impl<K, V> Default for Gone<K, V> {
    fn default() -> Self {
        Gone::new(false)
    }
}

impl<K, V> IntoIterator for Gone<K, V> {
    type Item = Left<K, V>;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Left<K, V>>, std::vec::IntoIter<Left<K, V>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}

/// Has the engine hand out what leaves. It reports what is replaced like what is evicted, but announces only the
/// latter, and the former comes first. (It would announce what is too heavy before what that replaces; hence
/// [`Engine::insert`] sorts that out beforehand.)
#[derive(Clone)]
struct Collect;

impl<K, V, W> Lifecycle<K, Held<V, W>> for Collect {
    type RequestState = Gone<K, V>;

    #[inline]
    fn before_evict(&self, gone: &mut Gone<K, V>, _: &K, _: &mut Held<V, W>) {
        gone.evicting = true;
    }

    #[inline]
    fn on_evict(&self, gone: &mut Gone<K, V>, key: K, held: Held<V, W>) {
        gone.push(key, held.entry.into_value(), gone.evicting);
    }
}
