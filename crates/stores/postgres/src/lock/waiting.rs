//! Who waits for which lease to end.

use crate::ear::Hears;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What tells that a lease was released.
const RELEASED: char = 'r';

#[derive(Default)]
pub(super) struct Waiting {
    /// By lease. Held only to add, to take and to forget.
    all: Mutex<HashMap<u128, Vec<oneshot::Sender<()>>>>,
}

impl Waiting {
    /// Returns what the end of a lease is told by.
    pub(super) fn payload(lease: u128) -> String {
        format!("{RELEASED}{lease:032x}")
    }

    /// Waits from now on.
    pub(super) fn for_end_of(self: &Arc<Self>, lease: u128) -> Waiter {
        let (ended, told) = oneshot::channel();
        self.lock().entry(lease).or_default().push(ended);
        Waiter { waiting: Arc::clone(self), lease, told }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Vec<oneshot::Sender<()>>>> {
        // What panicked elsewhere has not left the map by half.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hears for Waiting {
    fn heard(&self, payload: &str) {
        let lease = payload.strip_prefix(RELEASED).and_then(|hex| u128::from_str_radix(hex, 16).ok());
        let ended = lease.and_then(|lease| self.lock().remove(&lease));
        for waiter in ended.into_iter().flatten() {
            let _ = waiter.send(());
        }
    }

    /// Any lease may have been released meanwhile.
    fn missed(&self) {
        let all = std::mem::take(&mut *self.lock());
        for waiter in all.into_values().flatten() {
            let _ = waiter.send(());
        }
    }
}

/// One who waits. Dropped, it leaves nothing behind.
pub(super) struct Waiter {
    waiting: Arc<Waiting>,
    lease: u128,
    told: oneshot::Receiver<()>,
}

impl Waiter {
    /// Ends when the lease may have.
    pub(super) async fn end(&mut self) {
        let _ = (&mut self.told).await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.told.close();
        let mut all = self.waiting.lock();
        if let Some(waiters) = all.get_mut(&self.lease) {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                all.remove(&self.lease);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_those_who_went_away() {
        let waiting = Arc::new(Waiting::default());
        let (first, mut second) = (waiting.for_end_of(1), waiting.for_end_of(1));
        drop(first);
        assert_eq!(waiting.lock()[&1].len(), 1);
        waiting.heard(&Waiting::payload(2));
        assert!(second.told.try_recv().is_err());
        waiting.heard(&Waiting::payload(1));
        assert!(second.told.try_recv().is_ok() && waiting.lock().is_empty());
        drop(second);

        let third = waiting.for_end_of(3);
        for foreign in ["", "r", "rx", "r1234567890123456789012345678901234567890", "m1", "\u{e4}"] {
            waiting.heard(foreign);
        }
        drop(third);
        assert!(waiting.lock().is_empty());
    }
}
