//! When looking for dead entries is worth its cost.
//!
//! The engine has no order of deadlines, so a sweep reads every entry. Two things keep that cheap: nothing is
//! read before the earliest deadline of all, and a large store is not read again at once.
//!
//! ```text
//! insert:  engine.insert ──> note: lower the earliest deadline
//! sweep:   forget the earliest deadline ──> read all entries ──> lower it to that of the survivors
//! ```
//!
//! The two orders together forget no entry. If the sweep read the shard before the entry came, then forgetting
//! was before the insert too (the shard's lock orders them), and the note comes after both and stays. If the
//! entry came first, the sweep sees it. Noting before inserting would lose it: the note forgotten, the entry not
//! yet to be seen.

use larder_core::Time;
use parking_lot::{Mutex, MutexGuard};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Up to so many entries, every sweep is complete.
const AT_EVERY_SWEEP: u64 = 100_000;
/// Above that, an entry may be read once in so many nanoseconds: reading takes 20 to 50 of them.
const BETWEEN_READS: Duration = Duration::from_micros(10);

/// The earliest deadline of the entries, and when they were last read.
pub(crate) struct Deadlines {
    /// No entry that was inserted and noted is dead before this. The locks of the engine order it, see above.
    earliest: AtomicU64,
    /// Held through a sweep, so that two do not read the same; never while code of the user runs.
    last_sweep: Mutex<Option<Time>>,
}

impl Deadlines {
    pub(crate) fn new() -> Self {
        Deadlines { earliest: AtomicU64::new(Time::NEVER.as_nanos()), last_sweep: Mutex::new(None) }
    }

    /// Takes note of an entry that is in the engine by now.
    #[inline]
    pub(crate) fn note(&self, dead_at: Time) {
        // With one ttl for all, deadlines only rise: reading spares the line that all inserts share.
        if dead_at.as_nanos() < self.earliest.load(Relaxed) {
            self.earliest.fetch_min(dead_at.as_nanos(), Relaxed);
        }
    }

    /// Begins a sweep at `now` of so many `entries`, if one is due.
    #[inline]
    pub(crate) fn begin(&self, now: Time, entries: impl FnOnce() -> u64) -> Option<Sweep<'_>> {
        if now.as_nanos() < self.earliest.load(Relaxed) {
            return None;
        }
        let mut last_sweep = self.last_sweep.lock();
        if last_sweep.is_some_and(|last| now.since(last) < pause(entries())) {
            return None;
        }
        *last_sweep = Some(now);
        self.earliest.store(Time::NEVER.as_nanos(), Relaxed);
        Some(Sweep { deadlines: self, next: now, _alone: last_sweep })
    }
}

/// A sweep under way. One that is given up (a panic) is due again.
pub(crate) struct Sweep<'a> {
    deadlines: &'a Deadlines,
    next: Time,
    _alone: MutexGuard<'a, Option<Time>>,
}

impl Sweep<'_> {
    /// Ends a sweep that has read every entry, given the earliest deadline of those which are left.
    pub(crate) fn end(mut self, earliest: Time) {
        self.next = earliest;
    }
}

impl Drop for Sweep<'_> {
    fn drop(&mut self) {
        self.deadlines.note(self.next);
    }
}

/// The least time between two sweeps of so many entries.
fn pause(entries: u64) -> Duration {
    if entries <= AT_EVERY_SWEEP {
        return Duration::ZERO;
    }
    BETWEEN_READS.saturating_mul(u32::try_from(entries).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    #[test]
    fn nothing_is_due_before_the_earliest_deadline() {
        let deadlines = Deadlines::new();
        assert!(deadlines.begin(at(u64::MAX - 1), || 1).is_none());

        deadlines.note(at(20));
        deadlines.note(at(10));
        deadlines.note(Time::NEVER);
        assert!(deadlines.begin(at(9), || 1).is_none());
        deadlines.begin(at(10), || 1).expect("the deadline is now").end(at(20));
        assert!(deadlines.begin(at(19), || 1).is_none());
        assert!(deadlines.begin(at(20), || 1).is_some());
    }

    #[test]
    fn a_note_during_a_sweep_outlives_it() {
        let deadlines = Deadlines::new();
        deadlines.note(at(10));

        let sweep = deadlines.begin(at(10), || 1).expect("the deadline is now");
        deadlines.note(at(15));
        sweep.end(at(20));
        assert!(deadlines.begin(at(15), || 1).is_some());
    }

    #[test]
    fn a_sweep_that_was_given_up_is_due_again() {
        let deadlines = Deadlines::new();
        deadlines.note(at(10));
        drop(deadlines.begin(at(10), || 1));
        assert!(deadlines.begin(at(10), || 1).is_some());
    }

    #[test]
    fn a_large_store_is_not_read_again_at_once() {
        let second = Duration::from_secs(1);
        for (entries, pause) in [(100_000, Duration::ZERO), (100_001, second), (1_000_000, 10 * second)] {
            let deadlines = Deadlines::new();
            let first = at(7);
            deadlines.note(first);
            deadlines.begin(first, || entries).expect("the first has none before it").end(first);

            let again = first.after(pause);
            if !pause.is_zero() {
                let early = at(again.as_nanos() - 1);
                assert!(deadlines.begin(early, || entries).is_none(), "{entries} entries");
            }
            let again = again.after(Duration::from_micros(10));
            assert!(deadlines.begin(again, || entries).is_some(), "{entries} entries");
        }
    }
}
