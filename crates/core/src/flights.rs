//! The keys that something is being done to: who loads them, and whose turn it is to write.
//!
//! Most of the time the table is empty: a hit does not touch it. A key is in it while it is loaded, read from a
//! lower level, or written to a level that waits. Two things are decided here.
//!
//! *One load a key.* The first caller that misses gets the flight, the others join it.
//!
//! *Invalidation wins.* Writers of one key take turns, across awaits. Each visit notes the key's era when it
//! begins. `remove`, `insert` and `clear` begin a new era at the end of their turn, and a value that was loaded or
//! read in an older one is not stored:
//!
//! ```text
//! load      enter(era 0) ── load ───────────────── turn? ── era 1: not stored
//! remove             turn ── remove from L2, L1 ── era 1 ── end of turn
//! promote              enter(era 0) ── read L2 ──── turn? ── era 1: not stored
//! ```
//!
//! An insert into one level of memory, or a removal from it, that finds nobody doing anything to the key does without
//! a turn: it has taken effect with that look. A load that begins after it, while the call has yet to return, is the
//! later of the two.
//!
//! A write that was checked in its turn is complete before a removal begins, so it cannot land after it; a value
//! that was read while the removal was under way is of the older era, so it does not come back.

mod visit;

pub(crate) use visit::{HoldsTurn, Visit};

use crate::coherence::Coherence;
use crate::counters::Count;
use crate::flight::{Flight, Outcome};
use crate::follower::Follower;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, RandomState, shards};
use crate::touched::{Touched, Watch};
use crate::{Entry, Lookup, Time};
use hashbrown::HashTable;
use smallvec::SmallVec;
use std::borrow::Borrow;
use std::future::Future;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Mutex as Turn, OwnedRwLockWriteGuard, RwLock};

/// See the module.
pub(crate) struct Flights<K: ?Sized + Lookup, V> {
    /// Each lock protects its part of the table, for a look-up or an insertion; no user code runs under it but
    /// `Hash`, `Eq` and `ToOwned` of keys.
    shards: Box<[Mutex<HashTable<Visited<K, V>>>]>,
    hasher: RandomState,
    /// Writers of single keys share it; `clear` has it alone.
    gate: Arc<RwLock<()>>,
    /// Flights that have ended. Whoever missed and then gets the flight looks again if this has moved.
    landed: AtomicU64,
    /// Flights that were cut off.
    pub(crate) abandoned: Count,
    coherence: Coherence,
    /// Keys that were inserted or removed.
    touched: Touched,
}

struct Visited<K: ?Sized + Lookup, V> {
    key: K::Owned,
    slot: Arc<Slot<K, V>>,
}

/// A key that something is being done to.
struct Slot<K: ?Sized + Lookup, V> {
    hash: u64,
    /// Visits that have not ended. Falls to zero, and rises from it, under the shard's lock only.
    visits: AtomicUsize,
    /// Held for a comparison or an assignment, never while a store or a loader works.
    state: Mutex<State<K, V>>,
    turn: Arc<Turn<()>>,
}

struct State<K: ?Sized + Lookup, V> {
    era: u64,
    /// Values that were loaded and written. Who read an older one does not copy it over them.
    written: u64,
    /// When the newest of their loads began.
    newest: Time,
    /// The load of the present era.
    flight: Option<Arc<Flight<K, V>>>,
    /// Copies of what is written under the key.
    followers: Vec<Arc<Follower<V>>>,
}

const SHARDS: usize = shards(64);

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Flights<K, V> {
    pub(crate) fn new(coherence: Coherence) -> Self {
        Flights {
            shards: (0..SHARDS).map(|_| Mutex::new(HashTable::new())).collect(),
            hasher: RandomState::default(),
            gate: Arc::default(),
            landed: AtomicU64::new(0),
            abandoned: Count::default(),
            coherence,
            touched: Touched::default(),
        }
    }

    #[inline]
    pub(crate) fn landed(&self) -> u64 {
        self.landed.load(Ordering::Acquire)
    }

    fn shard(&self, hash: u64) -> &Mutex<HashTable<Visited<K, V>>> {
        // The table uses the low bits and the top seven; these are others.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    /// Whether nothing is being done to the key. Asked by who changes it then: that is noted, before anybody else can come.
    pub(crate) fn is_idle(&self, key: &K) -> bool {
        let hash = self.hasher.hash_one(key);
        let shard = self.shard(hash).lock();
        let is_idle = shard.is_empty() || shard.find(hash, |visited| visited.key.borrow() == key).is_none();
        if is_idle {
            self.touched.mark(hash);
        }
        is_idle
    }

    /// Watches which keys are inserted, removed or loaded from now on.
    pub(crate) fn watch_changes(&self) -> Watch {
        self.touched.watch()
    }

    /// Begins a new era of every key.
    pub(crate) fn overtake_all(&self) {
        self.touched.mark_all();
        for shard in &self.shards {
            // A key's state may be locked under its shard, never the other way round.
            for visited in shard.lock().iter() {
                visited.slot.overtake(None);
            }
        }
    }

    /// Waits until no key is being written, and keeps it so.
    pub(crate) fn close_gate(&self) -> impl Future<Output = OwnedRwLockWriteGuard<()>> + Send + use<K, V> {
        Arc::clone(&self.gate).write_owned()
    }
}

impl<K: ?Sized + Lookup, V: Clone> Slot<K, V> {
    /// Begins a new era, at whose beginning `left` is under the key, or nothing.
    fn overtake(&self, left: Option<&Entry<V>>) {
        let mut state = self.state.lock();
        state.era += 1;
        state.flight = None;
        let replaced: SmallVec<[_; 1]> =
            state.followers.iter().map(|follower| follower.replace(left.cloned())).collect();
        // What they held is dropped when nothing is locked.
        drop(state);
        drop(replaced);
    }
}

/// What a caller that missed gets.
pub(crate) enum Boarding<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> {
    /// The flight: the caller is to load.
    Lead(Lead<K, V>),
    /// A seat: another caller loads.
    Join(Arc<Flight<K, V>>),
    /// Neither: someone loads, and who wants no load does not wait for that.
    Alone(Visit<K, V>),
}

/// What a caller that wants to board asks for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// Whether it has a loader.
    pub(crate) loads: bool,
    pub(crate) now: Time,
    /// A load that did not begin after this will not do: such a flight is overtaken. At the same moment may be before it.
    pub(crate) floor: Option<Time>,
}

/// Returns the flight that a caller with a loader would join, without becoming part of the key's visits.
pub(crate) fn joinable<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static>(
    flights: &Flights<K, V>,
    key: &K,
    floor: Option<Time>,
) -> Option<Arc<Flight<K, V>>> {
    let hash = flights.hasher.hash_one(key);
    let shard = flights.shard(hash).lock();
    let visited = shard.find(hash, |visited| visited.key.borrow() == key)?;
    let state = visited.slot.state.lock();
    state.flight.as_ref().filter(|flight| flight.is_late_enough(floor)).map(Arc::clone)
}

pub(crate) fn board<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static>(
    flights: &Arc<Flights<K, V>>,
    key: &K,
    wanted: Wanted,
) -> Boarding<K, V> {
    let mut visit = Visit::begin(flights, key);
    let mut state = visit.slot.state.lock();
    if let Some(flight) = &state.flight {
        let will_do = flight.is_late_enough(wanted.floor);
        if !wanted.loads && (flight.loads || !will_do) {
            drop(state);
            return Boarding::Alone(visit);
        }
        if will_do {
            let flight = Arc::clone(flight);
            drop(state);
            return Boarding::Join(flight);
        }
        state.era += 1;
    }
    let flight = Arc::new(Flight::new(key.to_owned(), wanted, &flights.coherence));
    state.flight = Some(Arc::clone(&flight));
    (visit.era, visit.written) = (state.era, state.written);
    drop(state);
    Boarding::Lead(Lead { visit, flight, outcome: Outcome::Abandoned })
}

/// The duty to load. However it is dropped, the flight ends: as abandoned, unless another outcome was set.
pub(crate) struct Lead<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> {
    pub(crate) visit: Visit<K, V>,
    pub(crate) flight: Arc<Flight<K, V>>,
    outcome: Outcome<V>,
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Lead<K, V> {
    /// The duty to load for oneself alone, beside a flight that others may join.
    pub(crate) fn alone(visit: Visit<K, V>, key: &K, now: Time) -> Self {
        let wanted = Wanted { loads: true, now, floor: None };
        let flight = Flight::new(key.to_owned(), wanted, &visit.flights.coherence);
        Lead { visit, flight: Arc::new(flight), outcome: Outcome::Abandoned }
    }

    pub(crate) fn end(mut self, outcome: Outcome<V>) {
        self.outcome = outcome;
    }
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Drop for Lead<K, V> {
    fn drop(&mut self) {
        // Before the key is free again: whoever missed before this load stored its value, and gets the next
        // flight, must see that something landed.
        self.visit.flights.landed.fetch_add(1, Ordering::Release);
        let mut state = self.visit.slot.state.lock();
        if state.flight.as_ref().is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            state.flight = None;
        }
        drop(state);
        if matches!(self.outcome, Outcome::Abandoned) {
            self.visit.flights.abandoned.add();
        }
        self.flight.end(std::mem::replace(&mut self.outcome, Outcome::Abandoned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::Failures;

    const WANTED: Wanted = Wanted { loads: true, now: Time::from_nanos(5), floor: Some(Time::from_nanos(4)) };

    fn keys(flights: &Flights<u64, u64>) -> usize {
        flights.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    #[test]
    fn a_key_is_forgotten_with_its_last_visit() {
        let flights = Arc::new(Flights::<u64, u64>::new(Coherence::new()));
        let first = Visit::begin(&flights, &7);
        let second = first.again();
        drop(first);
        assert!(!flights.is_idle(&7));
        drop(second);
        assert!(flights.is_idle(&7));
    }

    #[test]
    fn whatever_threads_do_the_table_is_empty_afterwards() {
        let flights = Arc::new(Flights::<u64, u64>::new(Coherence::new()));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let flights = &flights;
                scope.spawn(move || {
                    for round in 0..5_000_u64 {
                        let key = (round * 7 + thread) % 3;
                        match board(flights, &key, WANTED) {
                            Boarding::Lead(lead) if round % 2 == 0 => {
                                lead.end(Outcome::Loaded(Entry::new(round, WANTED.now)));
                            }
                            Boarding::Lead(lead) => drop(lead.visit.again()),
                            _ => flights.overtake_all(),
                        }
                    }
                });
            }
        });
        assert_eq!(keys(&flights), 0);
    }

    #[test]
    fn a_new_era_overtakes_those_who_came_before_and_not_those_who_come_after() {
        let flights = Arc::new(Flights::<u64, u64>::new(Coherence::new()));
        let before = Visit::begin(&flights, &7);
        drop(Visit::begin(&flights, &7).overtake_at_the_end(&7, &Failures::new()));
        let after = Visit::begin(&flights, &7);

        assert!(before.is_overtaken());
        assert!(!after.is_overtaken());
    }

    #[test]
    fn a_flight_that_began_too_early_for_someone_is_overtaken_by_theirs() {
        let flights = Arc::new(Flights::<u64, u64>::new(Coherence::new()));
        let Boarding::Lead(early) = board(&flights, &7, WANTED) else { panic!("nobody flies yet") };
        let later = Wanted { now: Time::from_nanos(9), floor: Some(Time::from_nanos(5)), ..WANTED };
        let Boarding::Lead(late) = board(&flights, &7, later) else { panic!("the flight began too early") };

        assert!(early.visit.is_overtaken());
        assert!(!late.visit.is_overtaken());
        assert!(
            matches!(board(&flights, &7, WANTED), Boarding::Join(flight) if Arc::ptr_eq(&flight, &late.flight))
        );
    }

    #[test]
    fn who_wants_no_load_neither_waits_for_one_nor_overtakes_what_began_too_early() {
        let flights = Arc::new(Flights::<u64, u64>::new(Coherence::new()));
        let read = Wanted { loads: false, ..WANTED };
        let Boarding::Lead(early) = board(&flights, &7, read) else { panic!("nobody flies yet") };
        let later = Wanted { now: Time::from_nanos(9), floor: Some(Time::from_nanos(6)), ..read };
        assert!(matches!(board(&flights, &7, later), Boarding::Alone(_)));
        assert!(matches!(board(&flights, &7, read), Boarding::Join(_)));
        assert!(!early.visit.is_overtaken());
        drop(early);
        let Boarding::Lead(_load) = board(&flights, &7, WANTED) else { panic!("nobody flies any more") };
        assert!(matches!(board(&flights, &7, read), Boarding::Alone(_)));
    }

    #[test]
    fn followers_hear_nothing_from_before_the_present_era_and_nothing_older() {
        let flights = Arc::new(Flights::<u64, u64>::new(Coherence::new()));
        let clock: Arc<dyn crate::Clock> = Arc::new(crate::SystemClock);
        let follower = Arc::new(Follower::new(&clock, &flights.coherence, None));
        let following = Visit::begin(&flights, &7).followed_by(&follower);
        let entry = |value, at| Entry::new(value, Time::from_nanos(at));

        let before = Visit::begin(&flights, &7);
        before.tell_followers(&entry(1, 5));
        before.tell_followers(&entry(0, 4));
        assert_eq!(follower.get(), Some(1));
        drop(Visit::begin(&flights, &7).overtake_at_the_end(&7, &Failures::new()));
        assert_eq!(follower.get(), None);
        before.tell_followers(&entry(2, 6));
        assert_eq!(follower.get(), None);
        Visit::begin(&flights, &7).tell_followers(&entry(3, 7));
        assert_eq!(follower.get(), Some(3));

        assert!(!flights.is_idle(&7));
        drop((before, following));
        assert!(flights.is_idle(&7));
    }

    #[test]
    fn nobody_joins_a_flight_that_was_overtaken() {
        let flights = Arc::new(Flights::<u64, u64>::new(Coherence::new()));
        let Boarding::Lead(old) = board(&flights, &7, WANTED) else { panic!("nobody flies yet") };
        assert!(matches!(board(&flights, &7, WANTED), Boarding::Join(_)));
        flights.overtake_all();
        let Boarding::Lead(new) = board(&flights, &7, WANTED) else { panic!("the old flight was overtaken") };
        old.end(Outcome::Loaded(Entry::new(1, WANTED.now)));
        assert!(
            matches!(board(&flights, &7, WANTED), Boarding::Join(flight) if Arc::ptr_eq(&flight, &new.flight))
        );
    }
}
