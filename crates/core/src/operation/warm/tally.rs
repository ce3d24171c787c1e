//! What became of the keys so far.

use super::{WarmProgress, WarmReport, Warmed};

/// See the module.
pub(crate) struct Tally<K, E> {
    progress: WarmProgress,
    warmed: Vec<(usize, K, Warmed<E>)>,
}

impl<K, E> Tally<K, E> {
    pub(crate) fn new(total: Option<usize>) -> Self {
        Tally { progress: WarmProgress { done: 0, failed: 0, total }, warmed: Vec::new() }
    }

    /// Adds the key that was given as the `number`-th, and returns how far it has come.
    pub(crate) fn add(&mut self, number: usize, key: K, how: Warmed<E>) -> WarmProgress {
        self.progress.done += 1;
        self.progress.failed += usize::from(matches!(how, Warmed::Failed(_)));
        self.warmed.push((number, key, how));
        self.progress
    }

    pub(crate) fn report(self) -> WarmReport<K, E> {
        WarmReport::of(self.warmed)
    }
}
