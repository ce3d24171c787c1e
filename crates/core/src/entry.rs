//! A value and its times.

use crate::Time;
use crate::coherence::{Coherence, Watch};
use crate::extra::Extra;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
    extra: Option<Arc<Extra>>,
}

/// The times of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// When the load began, not when it ended: what it read may have changed since.
    pub(crate) loaded_at: Time,
    /// Until then it is fresh, and nothing about that needs a second thought. What is to be reloaded ahead of its end,
    /// or may idle, is looked at more closely from here on; for the rest this is `fresh_until`.
    pub(crate) settled_until: Time,
    pub(crate) fresh_until: Time,
    pub(crate) stale_until: Time,
    pub(crate) dead_at: Time,
}

impl Lifetime {
    /// The life of what was loaded at `loaded_at` and never expires.
    pub(crate) fn endless(loaded_at: Time) -> Self {
        Self::ending(loaded_at, Time::NEVER, Duration::ZERO, Duration::ZERO)
    }

    /// The life that is fresh until a time, with its windows after that.
    pub(crate) fn ending(loaded_at: Time, fresh_until: Time, stale: Duration, kept: Duration) -> Self {
        let stale_until = fresh_until.after(stale);
        let dead_at = stale_until.after(kept);
        Lifetime { loaded_at, settled_until: fresh_until, fresh_until, stale_until, dead_at }
    }

    /// The same, without a moment in which it is fresh or stale. It is kept for failures until it would have died.
    pub(crate) fn without_fresh_life(self) -> Self {
        let loaded_at = self.loaded_at;
        Lifetime { settled_until: loaded_at, fresh_until: loaded_at, stale_until: loaded_at, ..self }
    }

    /// The same, ended at `now`, but for being kept for failures: as long as it would have been after its end, or, if it
    /// has none, for `kept`.
    pub(crate) fn expired(self, now: Time, kept: Duration) -> Self {
        let own = self.dead_at.since(self.stale_until);
        let kept = if self.stale_until == Time::NEVER { kept } else { own };
        Lifetime {
            settled_until: self.settled_until.min(now),
            fresh_until: self.fresh_until.min(now),
            stale_until: self.stale_until.min(now),
            dead_at: self.dead_at.min(now.after(kept)),
            ..self
        }
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
        Entry { value, life: Lifetime::endless(loaded_at), extra: None }
    }

    pub(crate) fn with_life(value: V, life: Lifetime, extra: Option<Arc<Extra>>) -> Self {
        Entry { value, life, extra }
    }

    /// The same value without what remained of its fresh life and its stale window, kept for failures for another
    /// while.
    pub(crate) fn expired(self, now: Time, kept: Duration) -> Self {
        Entry { life: self.life.expired(now, kept), ..self }
    }

    /// Sets the fresh life, counted from when the load began, and ends all else with it.
    #[must_use = "the entry is returned, not changed in place"]
    pub fn fresh_for(mut self, ttl: Duration) -> Self {
        let fresh_until = self.life.loaded_at.after(ttl);
        self.life = Lifetime::ending(self.life.loaded_at, fresh_until, Duration::ZERO, Duration::ZERO);
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
    ///
    /// For an entry that may idle this moves on with each read.
    #[inline]
    pub fn dead_at(&self) -> Time {
        match self.extra.as_ref().and_then(|extra| extra.idle.as_ref()) {
            Some(idle) => idle.dead_at().min(self.life.dead_at),
            None => self.life.dead_at,
        }
    }

    /// Returns the tags that were given with the value, in no particular order.
    pub fn tags(&self) -> &[Arc<str>] {
        self.extra.as_ref().map_or(&[], |extra| &extra.tags)
    }

    /// Returns the entity tag that the source gave with the value.
    pub fn etag(&self) -> Option<&str> {
        self.extra.as_ref()?.etag.as_deref()
    }

    /// Returns when the source last changed the value, if it said so.
    pub fn last_modified(&self) -> Option<SystemTime> {
        self.extra.as_ref()?.last_modified
    }

    /// Returns how long the load took, if that was noted.
    pub(crate) fn took(&self) -> Option<Duration> {
        self.extra.as_ref()?.took
    }

    /// Returns from when on it is to be reloaded ahead of its end; the end itself where that is not wanted.
    pub(crate) fn refresh_at(&self) -> Time {
        let apart = self.extra.as_ref().and_then(|extra| extra.refresh_at);
        apart.unwrap_or(self.life.settled_until)
    }

    /// What it knows of invalidations, if it can be invalidated by a name.
    #[inline]
    pub(crate) fn watch(&self) -> Option<&Watch> {
        self.extra.as_ref()?.watch.as_ref()
    }

    /// The same entry, which knows more of invalidations.
    pub(crate) fn watched(mut self, watch: Option<Watch>) -> Self {
        // One that was just read is nobody else's.
        match self.extra.as_mut().and_then(Arc::get_mut) {
            Some(extra) => extra.watch = watch,
            None => self.extra = Extra { watch, ..Extra::default() }.shared(),
        }
        self
    }

    pub(crate) fn extra(&self) -> Option<&Arc<Extra>> {
        self.extra.as_ref()
    }

    /// Whether it is fresh and nothing about that needs a second thought.
    #[inline]
    pub(crate) fn is_settled(&self, now: Time) -> bool {
        now < self.life.settled_until
    }

    /// Whether nothing was invalidated since it was judged, and nobody is to be told of its use.
    #[inline]
    pub(crate) fn is_calm(&self, coherence: &Coherence, now: Time) -> bool {
        self.extra.as_ref().is_none_or(|extra| extra.is_calm(coherence, now))
    }

    /// Notes that it is read.
    pub(crate) fn touch(&self, now: Time) {
        if let Some(idle) = self.extra.as_ref().and_then(|extra| extra.idle.as_ref()) {
            idle.touch(now);
        }
    }

    /// Judges the entry at `now`. A deadline belongs to what follows it: at `fresh_until` it is stale.
    #[inline]
    pub fn freshness(&self, now: Time) -> Freshness {
        if self.extra.is_some() && now >= self.dead_at() {
            return Freshness::Dead;
        }
        self.life.freshness(now)
    }

    /// Returns how long ago the load began.
    pub fn age(&self, now: Time) -> Duration {
        now.since(self.life.loaded_at)
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extra::Idle;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Time {
        Time::from_nanos(0).after(seconds * SECOND)
    }

    #[test]
    fn an_entry_that_is_not_read_is_dead_whatever_its_windows_and_a_read_puts_that_off_for_all_its_copies() {
        let life = Lifetime::ending(at(0), at(8), 100 * SECOND, 100 * SECOND);
        let extra = Extra { idle: Some(Idle::new(10 * SECOND, at(0))), ..Extra::default() };
        let entry = Entry::with_life("ada", life, extra.shared());
        let copy = entry.clone();
        assert_eq!((entry.freshness(at(9)), entry.freshness(at(10))), (Freshness::Stale, Freshness::Dead));
        entry.touch(at(9));
        // A reader that was held up does not take it back.
        entry.touch(at(5));
        assert_eq!((copy.freshness(at(18)), copy.dead_at()), (Freshness::Stale, at(19)));
        assert_eq!(copy.freshness(at(19)), Freshness::Dead);
    }

    #[test]
    fn what_is_expired_is_kept_for_its_own_window_and_what_has_no_end_for_the_given_one() {
        let kept = |life: Lifetime| {
            let life = life.expired(at(5), 1_000 * SECOND);
            (life.freshness(at(5)), life.dead_at)
        };
        let finite = |window| Lifetime::ending(at(0), at(8), 20 * SECOND, window);
        assert_eq!(kept(finite(50 * SECOND)), (Freshness::Kept, at(55)));
        assert_eq!(kept(finite(Duration::ZERO)), (Freshness::Dead, at(5)));
        assert_eq!(kept(Lifetime::endless(at(0))), (Freshness::Kept, at(1_005)));
        let over = Lifetime::ending(at(0), at(1), SECOND, 50 * SECOND);
        assert_eq!(kept(over), (Freshness::Kept, at(52)), "what was kept already is kept no longer");
    }
}
