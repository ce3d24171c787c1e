//! Those of this process who wait for leases to end.

use larder_core::Listener;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Who waits for which lease.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Held to sit down, to get up and to call.
    by_name: Mutex<HashMap<Arc<str>, Arc<Notify>>>,
}

/// Somebody who waits; he gets up when this is dropped.
pub(super) struct Seat<'a> {
    waiting: &'a Waiting,
    name: Arc<str>,
    called: Option<OwnedNotified>,
}

impl Waiting {
    /// From here on a call is not missed, although nobody may wait for it yet.
    pub(super) fn sit(&self, name: &str) -> Seat<'_> {
        let name: Arc<str> = name.into();
        let mut by_name = self.by_name.lock();
        let bell = Arc::clone(by_name.entry(Arc::clone(&name)).or_default());
        Seat { waiting: self, name, called: Some(bell.notified_owned()) }
    }
}

impl Seat<'_> {
    /// Ends when the lease may have ended.
    pub(super) async fn called(mut self) {
        if let Some(called) = self.called.take() {
            called.await;
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut by_name = self.waiting.by_name.lock();
        // Its own hold of the bell first; the last one turns off the light.
        self.called = None;
        if by_name.get(&self.name).is_some_and(|bell| Arc::strong_count(bell) == 1) {
            by_name.remove(&self.name);
        }
    }
}

impl Listener for Waiting {
    fn heard(&self, message: &[u8]) {
        let Ok(name) = str::from_utf8(message) else { return };
        if let Some(bell) = self.by_name.lock().get(name) {
            bell.notify_waiters();
        }
    }

    fn missed(&self) {
        self.by_name.lock().values().for_each(|bell| bell.notify_waiters());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn those_who_wait_for_what_was_released_are_called_and_nobody_else() {
        let waiting = Waiting::default();
        let (first, second, other) = (waiting.sit("a"), waiting.sit("a"), waiting.sit("b"));
        waiting.heard(b"a");
        waiting.heard(b"\xFF");
        assert!(first.called().now_or_never().is_some() && second.called().now_or_never().is_some());
        let late = waiting.sit("a");
        assert!(late.called().now_or_never().is_none());
        waiting.missed();
        assert!(other.called().now_or_never().is_some());
        assert!(waiting.by_name.lock().is_empty(), "nobody sits there any more");
    }

    #[test]
    fn who_goes_without_being_called_leaves_nothing_behind() {
        let waiting = Waiting::default();
        let (first, second) = (waiting.sit("a"), waiting.sit("a"));
        drop(first);
        assert_eq!(waiting.by_name.lock().len(), 1);
        drop(second);
        assert!(waiting.by_name.lock().is_empty());
    }
}
