//! What was counted: [`stats`](Cache::stats).

use crate::holds::Holds;
use crate::{Cache, LevelStats, Lookup, Stats};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns what this cache counted since it was made, its clones and its boxed form included.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let squares = Cache::new(Memory::<u64, u64>::new(1_000));
    /// squares.get_or_insert_with(&12, async || 144).await;
    /// squares.get(&12).await?;
    ///
    /// let stats = squares.stats();
    /// assert_eq!((stats.loads, stats.hits(), stats.misses()), (1, 1, 1));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn stats(&self) -> Stats {
        let counters = &self.inner.counters;
        let mut described = Vec::new();
        C::describe(&self.level, &mut described);
        let levels = counters.levels.iter().zip(described).map(|(counted, level)| LevelStats {
            name: counted.name.to_string(),
            fresh_hits: counted.fresh.get(),
            stale_hits: counted.stale.get(),
            misses: counted.misses.get(),
            writes: counted.writes.get(),
            errors: counted.errors.get(),
            skipped: counted.skipped.get(),
            breaker: level.breaker,
            given_up: counted.given_up.get(),
            pending: level.pending,
            usage: level.usage,
        });
        let mut stats = Stats {
            levels: levels.collect(),
            joins: counters.joins.get(),
            loads: counters.loads.get(),
            load_failures: counters.load_failures.get() + self.inner.flights.abandoned.get(),
            reloads: counters.reloads.get(),
            covered: counters.covered.get(),
            overtaken: counters.overtaken.get(),
            soft_timeouts: counters.soft_timeouts.get(),
            hard_timeouts: counters.hard_timeouts.get(),
            remembered_errors: counters.remembered.get(),
            loaded_elsewhere: counters.elsewhere.get(),
            loads_without_lease: counters.unlocked.get(),
        };
        stats.levels[0].fresh_hits += counters.first_hits.sum();
        stats
    }
}
