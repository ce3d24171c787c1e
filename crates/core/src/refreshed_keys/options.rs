//! How many keys are kept fresh by a schedule: the settings of
//! [`Loading::refresh_keys_with`](crate::Loading::refresh_keys_with).

use crate::{LoadError, Start};
use std::fmt;
use std::sync::Arc;

pub(super) type OnError<K, E> = dyn Fn(&K, &LoadError<E>) + Send + Sync;

/// How many keys are kept fresh by a schedule.
///
/// # Default
///
/// - start: [`Start::IfAbsent`], which is: what no level has fresh is loaded at once
/// - concurrency: 16 loads
/// - jitter: none
#[must_use = "options do nothing until they are returned to the call"]
pub struct RefreshKeysOptions<K, E> {
    pub(super) start: Start,
    pub(super) jitter: f64,
    pub(crate) concurrency: usize,
    pub(super) on_error: Option<Arc<OnError<K, E>>>,
}

impl<K, E> RefreshKeysOptions<K, E> {
    /// Says when the keys are loaded for the first time.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Moves each time by chance, by up to this part of the interval to either side.
    ///
    /// # Panics
    ///
    /// If `part` is not from 0 to 0.5.
    #[track_caller]
    pub fn jitter(mut self, part: f64) -> Self {
        assert!((0.0..=0.5).contains(&part), "jitter is a part of the interval, from 0 to 0.5");
        self.jitter = part;
        self
    }

    /// Sets how many keys are loaded at a time.
    ///
    /// # Panics
    ///
    /// If `keys` is 0.
    #[track_caller]
    pub fn concurrency(mut self, keys: usize) -> Self {
        assert!(keys > 0, "with a concurrency of 0 nothing would ever be loaded: say at least 1");
        self.concurrency = keys;
        self
    }

    /// Tells `listener` of each key whose load failed, when all have been seen to. If it panics, that is all that happens.
    pub fn on_error(mut self, listener: impl Fn(&K, &LoadError<E>) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Arc::new(listener));
        self
    }
}

impl<K, E> Default for RefreshKeysOptions<K, E> {
    fn default() -> Self {
        RefreshKeysOptions { start: Start::IfAbsent, jitter: 0.0, concurrency: 16, on_error: None }
    }
}

impl<K, E> fmt::Debug for RefreshKeysOptions<K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshKeysOptions")
            .field("start", &self.start)
            .field("jitter", &self.jitter)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}
