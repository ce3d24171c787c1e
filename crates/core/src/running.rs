//! The load that the present code runs in.
//!
//! A task-local: it follows a load through its awaits, and not into tasks that it spawns.

use crate::coherence::Coherence;
use crate::edits::Edits;
use crate::sync::{Mutex, task_local};
use std::any::Any;
use std::future::Future;
use std::sync::Arc;

task_local! {
    static RUNNING: Arc<dyn Running>;
}

/// A load, without the types of its cache.
pub(crate) trait Running: Send + Sync {
    /// Distinguishes the loads of a process.
    fn id(&self) -> u64;
    fn edits(&self) -> &Mutex<Edits>;
    /// The group that its cache belongs to.
    fn coherence(&self) -> &Coherence;
    /// The key, as a `K::Owned`.
    fn key(&self) -> &(dyn Any + Send + Sync);
    /// The old entry, as an `Entry<V>`.
    fn previous(&self) -> Option<&(dyn Any + Send + Sync)>;
}

/// Runs `future` as that load.
pub(crate) fn within<F: Future>(load: Arc<dyn Running>, future: F) -> impl Future<Output = F::Output> {
    RUNNING.scope(load, future)
}

/// Runs `work` as that load.
pub(crate) fn within_now<T>(load: Arc<dyn Running>, work: impl FnOnce() -> T) -> T {
    RUNNING.sync_scope(load, work)
}

/// Whether this code runs in a load.
pub(crate) fn is_running() -> bool {
    RUNNING.try_with(|_| ()).is_ok()
}

/// Returns the running load.
pub(crate) fn current() -> Option<Arc<dyn Running>> {
    RUNNING.try_with(Arc::clone).ok()
}

/// Returns what `look` sees in the running load; `None` outside of loads.
pub(crate) fn running<T>(look: impl FnOnce(&dyn Running) -> T) -> Option<T> {
    RUNNING.try_with(|load| look(&**load)).ok()
}
