//! A gate in the middle of an operation: it stops there until a test lets it go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::sync::{Notify, Semaphore};

/// A gate that is open until it is [closed](Gate::close). Clones are the same gate.
///
/// # Examples
///
/// ```
/// use larder_testkit::Gate;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let gate = Gate::closed();
/// let worker = tokio::spawn({
///     let gate = gate.clone();
///     async move { gate.pass().await }
/// });
///
/// gate.reached(1).await; // the worker stands before the gate
/// assert!(!worker.is_finished());
/// gate.open();
/// worker.await.unwrap();
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    permits: Semaphore,
    reached: AtomicUsize,
    changed: Notify,
}

impl Gate {
    const OPEN: usize = Semaphore::MAX_PERMITS / 2;

    /// Makes an open gate.
    pub fn new() -> Self {
        let gate = Self::closed();
        gate.open();
        gate
    }

    /// Makes a closed gate.
    pub fn closed() -> Self {
        let permits = Semaphore::new(0);
        Gate(Arc::new(Inner { permits, reached: AtomicUsize::new(0), changed: Notify::new() }))
    }

    /// Passes the gate, waiting for it to be open.
    pub async fn pass(&self) {
        self.0.reached.fetch_add(1, SeqCst);
        self.0.changed.notify_waiters();
        if let Ok(permit) = self.0.permits.acquire().await
            && self.0.permits.available_permits() < Self::OPEN / 2
        {
            // One of those that were let through one by one.
            permit.forget();
        }
    }

    /// Waits until someone has reached the gate for the `times`-th time, whether or not it was open.
    pub async fn reached(&self, times: usize) {
        loop {
            let changed = self.0.changed.notified();
            if self.0.reached.load(SeqCst) >= times {
                return;
            }
            changed.await;
        }
    }

    /// Returns how often the gate was reached.
    pub fn times_reached(&self) -> usize {
        self.0.reached.load(SeqCst)
    }

    /// Closes the gate.
    pub fn close(&self) {
        self.0.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Opens the gate for all, those who come later too.
    pub fn open(&self) {
        self.close();
        self.0.permits.add_permits(Self::OPEN);
    }

    /// Lets one through a closed gate.
    pub fn let_one_through(&self) {
        self.0.permits.add_permits(1);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
