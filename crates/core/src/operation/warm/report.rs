//! What became of the keys that were to be warmed.

use crate::LoadError;
use std::fmt;

/// What became of one key.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warmed<E> {
    /// It was loaded for this, and stored as the cache stores what it loads.
    Loaded,
    /// A level had it fresh, or another caller loaded it.
    Present,
    /// There is no new value.
    Failed(LoadError<E>),
}

/// How far it has come: what [`Warm::on_progress`](crate::Warm::on_progress) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmProgress {
    /// Keys that are done, those that failed among them.
    pub done: usize,
    /// Keys that failed.
    pub failed: usize,
    /// How many keys there are, if their iterator, or their stream, knows.
    pub total: Option<usize>,
}

impl fmt::Display for WarmProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.done)?;
        if let Some(total) = self.total {
            write!(f, " of {total}")?;
        }
        write!(f, " done, {} failed", self.failed)
    }
}

/// What became of each key, in the order in which the keys were given.
#[derive(Debug)]
#[must_use = "what failed is said here only"]
pub struct WarmReport<K, E> {
    keys: Vec<(K, Warmed<E>)>,
    loaded: usize,
    failed: usize,
}

impl<K, E> WarmReport<K, E> {
    pub(super) fn of(mut warmed: Vec<(usize, K, Warmed<E>)>) -> Self {
        warmed.sort_unstable_by_key(|(number, ..)| *number);
        let count = |is: fn(&Warmed<E>) -> bool| warmed.iter().filter(|(_, _, how)| is(how)).count();
        let loaded = count(|how| matches!(how, Warmed::Loaded));
        let failed = count(|how| matches!(how, Warmed::Failed(_)));
        WarmReport { keys: warmed.into_iter().map(|(_, key, how)| (key, how)).collect(), loaded, failed }
    }

    /// Returns how many keys were loaded.
    pub fn loaded(&self) -> usize {
        self.loaded
    }

    /// Returns how many keys were there already.
    pub fn present(&self) -> usize {
        self.keys.len() - self.loaded - self.failed
    }

    /// Returns how many keys failed.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// Returns the keys with what became of them. A key that was given twice is there twice.
    pub fn keys(&self) -> &[(K, Warmed<E>)] {
        &self.keys
    }

    /// Returns the keys that failed, with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&K, &LoadError<E>)> {
        self.keys.iter().filter_map(|(key, how)| match how {
            Warmed::Failed(error) => Some((key, error)),
            Warmed::Loaded | Warmed::Present => None,
        })
    }
}

impl<K, E> fmt::Display for WarmReport<K, E> {
    /// Prints the counts, no keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} loaded, {} there already, {} failed", self.loaded, self.present(), self.failed)
    }
}
