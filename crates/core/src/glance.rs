//! The first look, which every read begins with and most end with.

use crate::coherence::{Names, Verdict};
use crate::dependencies::any_exception;
use crate::holds::{Holds, Look};
use crate::{Cache, Coherence, Entry, Freshness, Lookup, Time};
use std::future::Future;
use std::pin::Pin;

/// What remains to be done after a first look that saw no fresh hit.
pub(crate) type Rest<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a first look saw that was no fresh hit.
pub(crate) enum Seen<V> {
    /// An entry at the first level that may be served, and is to be reloaded: it is stale, or fresh and due.
    Old(Entry<V>, Freshness),
    /// Nothing to serve at once; ask from this level on. What the first level keeps for failures comes along.
    Ask(usize, Option<Entry<V>>),
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Looks without waiting, and counts a fresh hit. This is all that a hit costs.
    #[inline]
    pub(crate) fn glance(&self, key: &K) -> Result<V, Seen<V>> {
        if self.call.is_some() || any_exception() {
            return self.glance_closely(key);
        }
        let now = self.inner.clock.now();
        match C::hit(&self.level, key, now, &self.inner.coherence) {
            Ok(value) => {
                self.inner.counters.first_hits.add();
                Ok(value)
            }
            Err(look) => self.think_twice(key, look, now),
        }
    }

    // The next two are kept out of line, so that a hit does not pay for the room which they need.
    #[cold]
    #[inline(never)]
    fn glance_closely(&self, key: &K) -> Result<V, Seen<V>> {
        self.glance_at_entry(key).map(|entry| self.serve(entry))
    }

    #[cold]
    #[inline(never)]
    fn think_twice(&self, key: &K, look: Look<V>, now: Time) -> Result<V, Seen<V>> {
        self.judge(self.unless_invalidated(key, look, now), now).map(|entry| self.serve(entry))
    }

    /// As [`glance`](Self::glance), for a call that has a loader.
    #[inline]
    pub(crate) fn glance_to_load(&self, key: &K) -> Result<V, Seen<V>> {
        if self.call.as_ref().is_some_and(|call| call.force_refresh) {
            return Err(self.glance_in_vain(key));
        }
        self.glance(key).or_else(|seen| self.unless_thorough(seen).map(|entry| self.serve(entry)))
    }

    /// What is stale is no answer for a call that wants to be thorough; what is fresh and due is.
    #[cold]
    #[inline(never)]
    fn unless_thorough(&self, seen: Seen<V>) -> Result<Entry<V>, Seen<V>> {
        match seen {
            Seen::Old(entry, freshness) if self.is_thorough() => {
                if freshness == Freshness::Fresh {
                    self.count_old(freshness);
                    return Ok(entry);
                }
                Err(Seen::Ask(1, Some(entry)))
            }
            seen => Err(seen),
        }
    }

    /// As [`glance_to_load`](Self::glance_to_load), with the times of what it finds.
    pub(crate) fn glance_at_entry_to_load(&self, key: &K) -> Result<Entry<V>, Seen<V>> {
        if self.call.as_ref().is_some_and(|call| call.force_refresh) {
            return Err(self.glance_in_vain(key));
        }
        self.glance_at_entry(key).or_else(|seen| self.unless_thorough(seen))
    }

    /// Whatever there is, the call wants it newer. The levels are asked all the same: for what there is for others, and
    /// for what the load replaces.
    #[cold]
    fn glance_in_vain(&self, key: &K) -> Seen<V> {
        match self.look(key, self.inner.clock.now()) {
            Look::Hit(entry) => Seen::Ask(1, Some(entry)),
            Look::Ask(from, kept) => Seen::Ask(from, kept),
        }
    }

    /// What the first level has, if it is not dead.
    pub(crate) fn at_hand(&self, key: &K) -> Option<Entry<V>> {
        if self.skips_first() {
            return None;
        }
        let now = self.inner.clock.now();
        match self.unless_invalidated(key, C::look(&self.level, key, now), now) {
            Look::Hit(entry) => Some(entry),
            Look::Ask(_, kept) => kept,
        }
    }

    fn skips_first(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.skip.reads & 1 == 1)
    }

    /// Looks without waiting, with an eye to what the call asks for. What is too old for it comes along.
    pub(crate) fn look(&self, key: &K, now: Time) -> Look<V> {
        if !self.is_reading() {
            return Look::Ask(C::depth(&self.level), None);
        }
        if self.skips_first() {
            return Look::Ask(1, None);
        }
        match self.unless_invalidated(key, C::look(&self.level, key, now), now) {
            Look::Hit(entry) if self.call.is_some() && Some(entry.loaded_at()) < self.floor(false) => {
                Look::Ask(1, Some(entry))
            }
            look => look,
        }
    }

    /// What the marks leave of what the first level has. Where the log is to be asked, so is the first level, by who may
    /// wait.
    fn unless_invalidated(&self, key: &K, look: Look<V>, now: Time) -> Look<V> {
        let (Look::Hit(entry) | Look::Ask(_, Some(entry))) = look else { return look };
        let coherence = &self.inner.coherence;
        let verdict = match entry.watch().filter(|watch| !coherence.is_calm(watch, now)) {
            None => Verdict::Sound,
            Some(watch) => {
                let address = self.address(key);
                coherence.judge(watch, Names { key: address.as_deref(), tags: entry.tags() }, now)
            }
        };
        if verdict == Verdict::Ask {
            return Look::Ask(0, None);
        }
        Look::of(Coherence::left(entry, verdict, || self.policy.kept()[0]), now)
    }

    /// As [`glance`](Self::glance), with the times of what it finds.
    pub(crate) fn glance_at_entry(&self, key: &K) -> Result<Entry<V>, Seen<V>> {
        let now = self.inner.clock.now();
        self.judge(self.look(key, now), now)
    }

    fn judge(&self, look: Look<V>, now: Time) -> Result<Entry<V>, Seen<V>> {
        match look {
            Look::Hit(entry) => match entry.freshness(now) {
                Freshness::Fresh if self.policy.is_due(&entry, now) => {
                    Err(Seen::Old(entry, Freshness::Fresh))
                }
                Freshness::Fresh => {
                    self.inner.counters.first_hits.add();
                    Ok(entry)
                }
                freshness => Err(Seen::Old(entry, freshness)),
            },
            Look::Ask(from, kept) => Err(Seen::Ask(from, kept)),
        }
    }
}
