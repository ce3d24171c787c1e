//! What a cache counts while it works.

use crate::striped::Striped;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count that only the paths bump which do more than a hit does.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counts of one cache, shared by its clones and its boxed form.
pub(crate) struct Counters {
    /// Fresh hits at the first level; the others are in `levels`.
    pub(crate) first_hits: Striped,
    /// Shared with what a level does in the background and may end after its cache.
    pub(crate) levels: Box<[Arc<LevelCounters>]>,
    pub(crate) joins: Count,
    pub(crate) loads: Count,
    pub(crate) load_failures: Count,
    pub(crate) reloads: Count,
    pub(crate) covered: Count,
    pub(crate) overtaken: Count,
    pub(crate) soft_timeouts: Count,
    pub(crate) hard_timeouts: Count,
    pub(crate) remembered: Count,
    pub(crate) elsewhere: Count,
    pub(crate) unlocked: Count,
}

/// The counts of one level.
#[derive(Default)]
pub(crate) struct LevelCounters {
    /// What people call it: `L1 Memory`.
    pub(crate) name: Box<str>,
    pub(crate) fresh: Count,
    pub(crate) stale: Count,
    pub(crate) misses: Count,
    pub(crate) writes: Count,
    pub(crate) errors: Count,
    pub(crate) skipped: Count,
    pub(crate) given_up: Count,
}

impl Counters {
    pub(crate) fn new<'a>(stores: impl Iterator<Item = &'a str>) -> Self {
        let level = |(number, store)| {
            let name = format!("L{} {store}", number + 1).into();
            Arc::new(LevelCounters { name, ..LevelCounters::default() })
        };
        Counters {
            first_hits: Striped::new(),
            levels: stores.enumerate().map(level).collect(),
            joins: Count::default(),
            loads: Count::default(),
            load_failures: Count::default(),
            reloads: Count::default(),
            covered: Count::default(),
            overtaken: Count::default(),
            soft_timeouts: Count::default(),
            hard_timeouts: Count::default(),
            remembered: Count::default(),
            elsewhere: Count::default(),
            unlocked: Count::default(),
        }
    }

    pub(crate) fn level(&self, number: usize) -> &Arc<LevelCounters> {
        &self.levels[number]
    }

    /// Counts a miss at each of the levels `from..to`.
    pub(crate) fn missed(&self, from: usize, to: usize) {
        self.levels[from..to].iter().for_each(|level| level.misses.add());
    }
}
