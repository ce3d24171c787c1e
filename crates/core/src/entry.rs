//! A value and its times.

use crate::Time;
use std::time::Duration;

/// A value, when its load began, and until when it may be served.
///
/// ```text
///  loaded_at     fresh_until                stale_until                dead_at
///     |-- fresh --|---- stale -------------|---- kept ----------------|  dead
///     | hit       | hit at once, reload    | served if a load fails   |  as if it were absent
/// ```
///
/// An entry is judged by whoever reads it, never by the store that holds it.
///
/// # Examples
///
/// ```
/// use larder_core::{Entry, Freshness, Time};
/// use std::time::Duration;
///
/// let born = Time::from_nanos(0);
/// let entry = Entry::new("ada", born).fresh_for(Duration::from_secs(60)).stale_for(Duration::from_secs(30));
/// assert_eq!(entry.freshness(born.after(Duration::from_secs(59))), Freshness::Fresh);
/// assert_eq!(entry.freshness(born.after(Duration::from_secs(60))), Freshness::Stale);
/// assert_eq!(entry.freshness(born.after(Duration::from_secs(90))), Freshness::Dead);
/// ```
#[derive(Clone)]
pub struct Entry<V> {
    value: V,
    life: Lifetime,
}

/// The times of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// When the load began, not when it ended: what it read may have changed since.
    pub(crate) loaded_at: Time,
    pub(crate) fresh_until: Time,
    pub(crate) stale_until: Time,
    pub(crate) dead_at: Time,
}

impl Lifetime {
    /// The life of what was loaded at `loaded_at` and never expires.
    pub(crate) fn endless(loaded_at: Time) -> Self {
        Lifetime { loaded_at, fresh_until: Time::NEVER, stale_until: Time::NEVER, dead_at: Time::NEVER }
    }
}

/// What a reader may do with an entry at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Freshness {
    /// Serve it.
    Fresh,
    /// Serve it at once, and reload.
    Stale,
    /// Load first, and serve it only if that fails.
    Kept,
    /// Treat it as absent.
    Dead,
}

impl<V> Entry<V> {
    /// Makes an entry that never expires, of a value whose load began at `loaded_at`.
    pub fn new(value: V, loaded_at: Time) -> Self {
        Entry { value, life: Lifetime::endless(loaded_at) }
    }

    pub(crate) fn with_life(value: V, life: Lifetime) -> Self {
        Entry { value, life }
    }

    /// Sets the fresh life, counted from when the load began, and ends all else with it.
    #[must_use = "the entry is returned, not changed in place"]
    pub fn fresh_for(mut self, ttl: Duration) -> Self {
        self.life.fresh_until = self.life.loaded_at.after(ttl);
        self.life.stale_until = self.life.fresh_until;
        self.life.dead_at = self.life.fresh_until;
        self
    }

    /// Sets the stale window, counted from the end of the fresh life.
    #[must_use = "the entry is returned, not changed in place"]
    pub fn stale_for(mut self, window: Duration) -> Self {
        self.life.stale_until = self.life.fresh_until.after(window);
        self.life.dead_at = self.life.stale_until;
        self
    }

    /// Sets for how long after the stale window the entry is kept for loads that fail.
    #[must_use = "the entry is returned, not changed in place"]
    pub fn kept_for(mut self, window: Duration) -> Self {
        self.life.dead_at = self.life.stale_until.after(window);
        self
    }

    /// Returns the value.
    pub fn value(&self) -> &V {
        &self.value
    }

    /// Returns the value, giving up its times.
    #[inline]
    pub fn into_value(self) -> V {
        self.value
    }

    /// Returns when the load of the value began.
    pub fn loaded_at(&self) -> Time {
        self.life.loaded_at
    }

    /// Returns the end of the fresh life.
    pub fn fresh_until(&self) -> Time {
        self.life.fresh_until
    }

    /// Returns the end of the stale window; the same as [`fresh_until`](Self::fresh_until) without one.
    pub fn stale_until(&self) -> Time {
        self.life.stale_until
    }

    /// Returns when the entry is of no use to anyone, so that a store may free it.
    #[inline]
    pub fn dead_at(&self) -> Time {
        self.life.dead_at
    }

    /// Judges the entry at `now`. A deadline belongs to what follows it: at `fresh_until` it is stale.
    #[inline]
    pub fn freshness(&self, now: Time) -> Freshness {
        self.life.freshness(now)
    }

    /// Returns how long ago the load began.
    pub fn age(&self, now: Time) -> Duration {
        now.since(self.life.loaded_at)
    }

    #[cfg(test)]
    pub(crate) fn life(&self) -> Lifetime {
        self.life
    }
}

impl Lifetime {
    #[inline]
    pub(crate) fn freshness(self, now: Time) -> Freshness {
        if now < self.fresh_until {
            Freshness::Fresh
        } else if now < self.stale_until {
            Freshness::Stale
        } else if now < self.dead_at {
            Freshness::Kept
        } else {
            Freshness::Dead
        }
    }
}

impl<V> std::fmt::Debug for Entry<V> {
    /// Prints the times. Values may be secret and are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("loaded_at", &self.life.loaded_at)
            .field("fresh_until", &self.life.fresh_until)
            .field("stale_until", &self.life.stale_until)
            .field("dead_at", &self.life.dead_at)
            .finish_non_exhaustive()
    }
}
