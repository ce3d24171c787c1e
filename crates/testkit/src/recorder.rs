//! An observer that remembers.

use larder_core::{BreakerState, ErrorKind, Event, Observer, Operation};
use parking_lot::Mutex;
use std::sync::Arc;

/// An observer that remembers what it was told. Clones are the same one.
///
/// # Examples
///
/// ```
/// use larder_testkit::{FakeBytes, Recorder};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (store, events) = (FakeBytes::new(), Recorder::new());
/// let cache = larder_core::Cache::new(store.clone()).observer(events.clone());
/// store.put_raw("larder:ada", "this is no envelope");
///
/// assert_eq!(cache.get("ada").await.unwrap(), None);
/// assert_eq!(events.failures().len(), 1);
/// assert_eq!(events.failures()[0].kind, larder_core::ErrorKind::Corrupt);
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    failures: Vec<LevelFailure>,
    breakers: Vec<(String, BreakerState)>,
    failed_reloads: usize,
    overtaken: usize,
    given_up: Vec<String>,
}

/// A failure of a level, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelFailure {
    /// The name of the level.
    pub level: String,
    /// What was being done.
    pub operation: Operation,
    /// What sort of error it was.
    pub kind: ErrorKind,
    /// What it said.
    pub message: String,
}

impl Recorder {
    /// Makes an observer that was told nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the failures of levels, in order.
    pub fn failures(&self) -> Vec<LevelFailure> {
        self.0.lock().failures.clone()
    }

    /// Returns the changes of breakers, in order: which level's, and to what.
    pub fn breakers(&self) -> Vec<(String, BreakerState)> {
        self.0.lock().breakers.clone()
    }

    /// Returns how many reloads in the background failed.
    pub fn failed_reloads(&self) -> usize {
        self.0.lock().failed_reloads
    }

    /// Returns what was said of each queued write that was given up, in order.
    pub fn given_up(&self) -> Vec<String> {
        self.0.lock().given_up.clone()
    }

    /// Returns how many values were overtaken and not stored.
    pub fn overtaken(&self) -> usize {
        self.0.lock().overtaken
    }
}

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        let mut recorded = self.0.lock();
        match event {
            Event::LevelFailed { level, operation, error, .. } => recorded.failures.push(LevelFailure {
                level: (*level).into(),
                operation: *operation,
                kind: error.kind(),
                message: error.to_string(),
            }),
            Event::BreakerChanged { level, state, .. } => recorded.breakers.push(((*level).into(), *state)),
            Event::ReloadFailed { .. } => recorded.failed_reloads += 1,
            Event::WriteGivenUp { error, .. } => recorded.given_up.push(error.to_string()),
            Event::Overtaken => recorded.overtaken += 1,
            // Newer events are of interest to newer tests.
            _ => {}
        }
    }
}
