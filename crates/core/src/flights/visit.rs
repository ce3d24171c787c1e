//! Someone who is doing something to a key: what era it came in, and its turn to write.

use super::{Flights, Slot, State, Visited};
use crate::failures::Failures;
use crate::follower::Follower;
use crate::sync::{AtomicUsize, Mutex};
use crate::tokens::Tokens;
use crate::touched::Watch;
use crate::{Entry, Lookup, Time};
use smallvec::SmallVec;
use std::borrow::Borrow;
use std::future::Future;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedMutexGuard, OwnedRwLockReadGuard};

/// Someone who is doing something to a key. The table forgets the key with its last visit.
pub(crate) struct Visit<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> {
    pub(super) flights: Arc<Flights<K, V>>,
    pub(super) slot: Arc<Slot<K, V>>,
    /// The era in which the visit began, and what had been written then.
    pub(super) era: u64,
    pub(super) written: u64,
    /// What was seen of the records that it may write.
    pub(crate) tokens: Arc<Tokens>,
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Visit<K, V> {
    pub(crate) fn begin(flights: &Arc<Flights<K, V>>, key: &K) -> Self {
        let hash = flights.hasher.hash_one(key);
        let mut shard = flights.shard(hash).lock();
        let slot = match shard.find(hash, |visited| visited.key.borrow() == key) {
            Some(visited) => Arc::clone(&visited.slot),
            None => {
                let state = Mutex::new(State {
                    era: 0,
                    written: 0,
                    newest: Time::from_nanos(0),
                    flight: None,
                    followers: Vec::new(),
                });
                let visits = AtomicUsize::new(0);
                let slot = Arc::new(Slot { hash, visits, state, turn: Arc::default() });
                let visited = Visited { key: key.to_owned(), slot: Arc::clone(&slot) };
                shard.insert_unique(hash, visited, |visited| visited.slot.hash);
                slot
            }
        };
        slot.visits.fetch_add(1, Ordering::Relaxed);
        drop(shard);
        let (era, written) = {
            let state = slot.state.lock();
            (state.era, state.written)
        };
        Visit { flights: Arc::clone(flights), slot, era, written, tokens: Arc::default() }
    }

    /// Returns another visit of the same era, for work that may outlast this one.
    pub(crate) fn again(&self) -> Self {
        self.slot.visits.fetch_add(1, Ordering::Relaxed);
        Visit {
            flights: Arc::clone(&self.flights),
            slot: Arc::clone(&self.slot),
            era: self.era,
            written: self.written,
            tokens: Arc::clone(&self.tokens),
        }
    }

    /// Begins a new era when the guard is dropped, however that comes: all loads and reads that are then under way
    /// are overtaken, and their failures forgotten.
    pub(crate) fn overtake_at_the_end<'a>(
        &'a self,
        key: &'a K,
        failures: &'a Failures<K>,
    ) -> Overtaking<'a, K, V> {
        Overtaking { visit: self, key, failures, left: None }
    }

    /// The turn, if nobody has it or waits for it.
    pub(crate) fn try_turn(&self) -> Option<HoldsTurn> {
        let gate = Arc::clone(&self.flights.gate).try_read_owned().ok()?;
        let turn = Arc::clone(&self.slot.turn).try_lock_owned().ok()?;
        Some(HoldsTurn { _turn: turn, _gate: gate })
    }

    /// Waits for the turn to write the key, and for no `clear` to be under way.
    pub(crate) fn turn(&self) -> impl Future<Output = HoldsTurn> + Send + use<K, V> {
        let (gate, turn) = (Arc::clone(&self.flights.gate), Arc::clone(&self.slot.turn));
        async move {
            let gate = gate.read_owned().await;
            HoldsTurn { _turn: turn.lock_owned().await, _gate: gate }
        }
    }

    /// Whether a new era has begun since the visit did. Means something only to who has the turn.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.slot.state.lock().era != self.era
    }

    /// Whether the key may have been inserted or removed before the visit began, since the cache was made.
    pub(crate) fn is_touched(&self) -> bool {
        self.flights.touched.is_marked(self.slot.hash)
    }

    /// Whether the key may have been inserted, removed or loaded since the watch began. Means something only to who has the turn.
    pub(crate) fn is_changed(&self, watch: &Watch) -> bool {
        watch.is_marked(self.slot.hash)
    }

    /// Does `work` if no new era has begun since the visit did; if it has, or begins in the middle, that is after it.
    /// What it returns is dropped by the caller, when nothing is locked.
    pub(crate) fn unless_overtaken<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let state = self.slot.state.lock();
        (state.era == self.era).then(work)
    }

    /// Whether a loaded value has been written since the visit began. Means something only to who has the turn.
    pub(crate) fn is_outdated(&self) -> bool {
        self.slot.state.lock().written != self.written
    }

    /// Whether a value has been written whose load began later than `loaded_at`: two load at a time where one of them
    /// did not want to wait for the other. Means something only to who has the turn.
    pub(crate) fn is_outrun(&self, loaded_at: Time) -> bool {
        self.slot.state.lock().newest > loaded_at
    }

    /// Has `follower` hold what is written under the key, until that is dropped.
    pub(crate) fn followed_by(self, follower: &Arc<Follower<V>>) -> Following<K, V> {
        self.slot.state.lock().followers.push(Arc::clone(follower));
        Following { visit: self, follower: Arc::clone(follower) }
    }

    /// Whether somebody holds what is written under the key.
    pub(crate) fn is_followed(&self) -> bool {
        !self.slot.state.lock().followers.is_empty()
    }

    /// Hands what was loaded, or found, to those who follow the key, unless it was overtaken.
    pub(crate) fn tell_followers(&self, entry: &Entry<V>) {
        let state = self.slot.state.lock();
        let replaced: SmallVec<[_; 1]> = if state.era == self.era {
            state.followers.iter().map(|follower| follower.renew(entry.clone())).collect()
        } else {
            SmallVec::new()
        };
        drop(state);
        drop(replaced);
    }

    /// Notes that a value was written whose load began at `loaded_at`.
    pub(crate) fn note_written(&self, loaded_at: Time) {
        self.flights.touched.note_written(self.slot.hash);
        let mut state = self.slot.state.lock();
        state.written += 1;
        state.newest = state.newest.max(loaded_at);
    }
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Drop for Visit<K, V> {
    fn drop(&mut self) {
        let mut shard = self.flights.shard(self.slot.hash).lock();
        if self.slot.visits.fetch_sub(1, Ordering::Relaxed) == 1
            && let Ok(found) =
                shard.find_entry(self.slot.hash, |visited| Arc::ptr_eq(&visited.slot, &self.slot))
        {
            let forgotten = found.remove().0;
            // The key's destructor is code of the user.
            drop(shard);
            drop(forgotten);
        }
    }
}

/// See [`Visit::followed_by`]. As long as it lives the key is never idle, so that nothing is written past its followers.
pub(crate) struct Following<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> {
    pub(crate) visit: Visit<K, V>,
    follower: Arc<Follower<V>>,
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Drop for Following<K, V> {
    fn drop(&mut self) {
        let followers = &mut self.visit.slot.state.lock().followers;
        followers.retain(|follower| !Arc::ptr_eq(follower, &self.follower));
    }
}

/// See [`Visit::overtake_at_the_end`].
pub(crate) struct Overtaking<'a, K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> {
    visit: &'a Visit<K, V>,
    key: &'a K,
    failures: &'a Failures<K>,
    left: Option<Entry<V>>,
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Overtaking<'_, K, V> {
    /// Says what is under the key from then on, for those who follow it.
    pub(crate) fn leaves(&mut self, entry: Option<Entry<V>>) {
        self.left = entry;
    }
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Drop for Overtaking<'_, K, V> {
    fn drop(&mut self) {
        // First: who comes when the era has begun sees it.
        self.visit.flights.touched.mark(self.visit.slot.hash);
        self.visit.slot.overtake(self.left.as_ref());
        // A load of the old era that fails from now on notes nothing.
        self.failures.forget(self.key);
    }
}

/// The right to write a key, until dropped.
pub(crate) struct HoldsTurn {
    _turn: OwnedMutexGuard<()>,
    _gate: OwnedRwLockReadGuard<()>,
}
