//! The task that writes what is due.

use super::Core;
use super::flight::Flight;
use super::state::Next;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;

/// Being the one that writes. Dropped before the end, because its runtime ended, it leaves that to the next.
pub(super) struct Running {
    core: Arc<Core>,
    ended: bool,
}

impl Running {
    /// `None` if there is nothing to write, or another one does.
    pub(super) fn begin(core: &Arc<Core>) -> Option<Self> {
        let mut state = core.state.lock();
        if state.running || state.pending() == 0 {
            return None;
        }
        state.running = true;
        Some(Running { core: Arc::clone(core), ended: false })
    }

    /// Writes until nothing is left: each key in a task of its own, so that one which hangs does not stop the others;
    /// one after the other where there is no runtime.
    pub(super) async fn run(mut self, runtime: Option<Handle>) {
        let core = Arc::clone(&self.core);
        let Some(clock) = core.clock.get() else { return };
        loop {
            let now = clock.now_exact();
            let next = core.state.lock().next(now, core.options.concurrency);
            match (next, &runtime) {
                (Next::End, _) => {
                    self.ended = true;
                    return;
                }
                (Next::Wait(due), _) => {
                    let span = due.and_then(|due| now.until(due));
                    self.rest(span).await;
                }
                (Next::Write { key, place, write }, Some(runtime)) => {
                    let flight = runtime.spawn(Flight::new(&core, key, place, write).fly());
                    if flight.is_finished() {
                        // Perhaps the runtime is ending and takes no task: let it end this one too.
                        tokio::task::yield_now().await;
                    }
                }
                (Next::Write { key, place, write }, None) => {
                    Flight::new(&core, key, place, write).fly().await;
                }
            }
        }
    }

    /// Waits until woken, and no longer than `span`.
    async fn rest(&self, span: Option<Duration>) {
        let mut woken = pin!(self.core.wake.notified());
        let mut timer = self.core.clock.get().zip(span).map(|(clock, span)| clock.sleep(span));
        poll_fn(|cx| {
            let is_due = timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
            if is_due || woken.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.core.state.lock().running = false;
            // Who waits for a flush starts the next.
            self.core.landed.notify_waiters();
            self.core.tell_of_orphans();
        }
    }
}
