//! A gate in the middle of an operation: it stops there until a test lets it go on.

use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::Notify;

/// A gate, open or closed. Clones are the same gate.
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
    /// Held for a decision, never across an await.
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    /// How many a closed gate still lets through.
    singles: usize,
    reached: usize,
}

impl Gate {
    /// Makes an open gate.
    pub fn new() -> Self {
        let gate = Self::closed();
        gate.open();
        gate
    }

    /// Makes a closed gate.
    pub fn closed() -> Self {
        Gate(Arc::new(Inner { state: Mutex::default(), changed: Notify::new() }))
    }

    /// Passes the gate, waiting for it to be open.
    pub async fn pass(&self) {
        self.change(|state| state.reached += 1);
        self.wait_until(|state| {
            let single = !state.open && state.singles > 0;
            state.singles -= usize::from(single);
            state.open || single
        })
        .await;
    }

    /// Waits until someone has reached the gate for the `times`-th time, whether or not it was open.
    pub async fn reached(&self, times: usize) {
        self.wait_until(|state| state.reached >= times).await;
    }

    /// Returns how often the gate was reached.
    pub fn times_reached(&self) -> usize {
        self.0.state.lock().reached
    }

    /// Closes the gate.
    pub fn close(&self) {
        self.change(|state| (state.open, state.singles) = (false, 0));
    }

    /// Opens the gate for all, those who come later too.
    pub fn open(&self) {
        self.change(|state| state.open = true);
    }

    /// Lets one through a closed gate.
    pub fn let_one_through(&self) {
        self.change(|state| state.singles += 1);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.state.lock());
        self.0.changed.notify_waiters();
    }

    async fn wait_until(&self, mut is_so: impl FnMut(&mut State) -> bool + Send) {
        loop {
            // Counts from its creation, so a change between the check and the await is not missed.
            let changed = self.0.changed.notified();
            if is_so(&mut self.0.state.lock()) {
                return;
            }
            changed.await;
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_lets_nobody_through_who_was_not_let() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            for _ in 0..5_000 {
                let gate = Gate::new();
                let passing = tokio::spawn({
                    let gate = gate.clone();
                    async move { gate.pass().await }
                });
                gate.close();
                gate.let_one_through();
                passing.await.unwrap();
                gate.close();
                let newcomer = tokio::spawn({
                    let gate = gate.clone();
                    async move { gate.pass().await }
                });
                gate.reached(2).await;
                assert!(!newcomer.is_finished());
                newcomer.abort();
            }
        });
    }
}
