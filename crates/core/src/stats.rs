//! A snapshot of what a cache counted.

use crate::{BreakerState, Usage};
use std::fmt;

/// What a cache counted since it was made, its clones and its boxed form included.
///
/// The counts of threads that are at work may be a little behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// One entry a level, the first level first.
    pub levels: Vec<LevelStats>,
    /// Callers that waited for a load which another caller had begun.
    pub joins: u64,
    /// Loads that began, reloads included.
    pub loads: u64,
    /// Loads that ended without a value: an error, a panic, or cut off.
    pub load_failures: u64,
    /// Loads that began in the background because an entry was stale.
    pub reloads: u64,
    /// Failed loads, among `load_failures`, that nobody noticed because a stale or kept value, or the fallback, was served
    /// instead.
    pub covered: u64,
    /// Values that were not stored because `remove`, `insert`, `expire`, `clear` or a forced refresh overtook them.
    pub overtaken: u64,
    /// Loads that were so late that something old was served in their place:
    /// [`soft_timeout`](crate::Cache::soft_timeout).
    pub soft_timeouts: u64,
    /// Loads that were so late that nobody waited for them any more: [`hard_timeout`](crate::Cache::hard_timeout).
    pub hard_timeouts: u64,
    /// Calls that were answered with the error of an earlier load: [`cache_errors`](crate::Cache::cache_errors).
    pub remembered_errors: u64,
    /// Loads that another process spared this one, which had waited for it: [`lock`](crate::Cache::lock).
    pub loaded_elsewhere: u64,
    /// Loads that began without the lease of the [`lock`](crate::Cache::lock): it had failed a short while ago, or others had
    /// it in vain.
    pub loads_without_lease: u64,
}

/// What one level counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelStats {
    /// What the level is called, such as `L2 Object`.
    pub name: String,
    /// Reads that this level answered with a fresh entry.
    pub fresh_hits: u64,
    /// Reads that this level answered with a stale entry.
    pub stale_hits: u64,
    /// Reads that asked this level and got nothing they could use. A caller that joins a load is not counted.
    pub misses: u64,
    /// Entries written, promotions included. Of those that are queued by [`Behind`](crate::Behind), the ones that went
    /// to the store.
    pub writes: u64,
    /// Failures of the level, and bytes in it that could not be used.
    pub errors: u64,
    /// Calls that left this level out because its breaker was open.
    pub skipped: u64,
    /// What the breaker lets through; `None` where there is none, as for a store that never waits.
    pub breaker: Option<BreakerState>,
    /// Values that were queued and never written, see [`Event::WriteGivenUp`](crate::Event::WriteGivenUp).
    pub given_up: u64,
    /// Keys that are queued or being written in the background; `None` for a level that is written at once.
    pub pending: Option<u64>,
    /// How full the level is, if it knows.
    pub usage: Option<Usage>,
}

impl Stats {
    /// Returns the reads that some level answered.
    pub fn hits(&self) -> u64 {
        self.levels.iter().map(|level| level.fresh_hits + level.stale_hits).sum()
    }

    /// Returns the reads that no level answered; those that joined a load are [`joins`](Stats::joins).
    pub fn misses(&self) -> u64 {
        self.levels.last().map_or(0, |level| level.misses)
    }

    /// Returns the share of reads, from 0 to 1, that were answered without a load of their own: hits and joins.
    /// Without any read it is 0.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 52 bits")]
    pub fn hit_ratio(&self) -> f64 {
        let answered = self.hits() + self.joins;
        match answered + self.misses() {
            0 => 0.0,
            reads => answered as f64 / reads as f64,
        }
    }
}

impl fmt::Display for Stats {
    /// Prints a table, one line a level.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>12} {:>10} {:>12} {:>12} {:>8} {:>8} {:>8} {:>8} {:>9} {:>12}",
            "level",
            "fresh",
            "stale",
            "misses",
            "writes",
            "pending",
            "given up",
            "errors",
            "skipped",
            "breaker",
            "entries"
        )?;
        for level in &self.levels {
            let pending = level.pending.map_or_else(|| "-".into(), |pending| pending.to_string());
            let breaker = level.breaker.map_or_else(|| "-".into(), |state| state.to_string());
            let entries = level.usage.map_or_else(|| "?".into(), |usage| usage.entries.to_string());
            writeln!(
                f,
                "{:<20} {:>12} {:>10} {:>12} {:>12} {:>8} {:>8} {:>8} {:>8} {:>9} {:>12}",
                level.name,
                level.fresh_hits,
                level.stale_hits,
                level.misses,
                level.writes,
                pending,
                level.given_up,
                level.errors,
                level.skipped,
                breaker,
                entries
            )?;
        }
        writeln!(
            f,
            "loads {} ({} failed, {} of them covered by an old value, {} in the background), joined {}, overtaken {}, hit ratio {:.1} %",
            self.loads,
            self.load_failures,
            self.covered,
            self.reloads,
            self.joins,
            self.overtaken,
            100.0 * self.hit_ratio()
        )?;
        write!(
            f,
            "late loads {}, timed out {}, remembered errors {}, loaded elsewhere {}, without a lease {}",
            self.soft_timeouts,
            self.hard_timeouts,
            self.remembered_errors,
            self.loaded_elsewhere,
            self.loads_without_lease
        )
    }
}
