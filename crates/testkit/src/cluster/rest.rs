//! When the tasks of a node have nothing more to do at this moment.

use parking_lot::Mutex;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::task::{Poll, Waker};
use tokio::runtime::Runtime;

/// Where the runtime that is running says that it is about to wait. One for all nodes: they run one after the other.
#[derive(Default)]
pub(crate) struct Rest {
    reached: AtomicBool,
    /// How often the time was asked for since the node began to run.
    asked: AtomicU64,
    waker: Mutex<Option<Waker>>,
}

/// The tasks of a node never come to rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spins;

/// Nothing that makes sense asks for the time this often at one moment.
const MOST_ASKED: u64 = 200_000;

impl Rest {
    /// The runtime has no task to run: for its `on_thread_park`, which wakes `block_on` instead of waiting.
    pub(crate) fn reach(&self) {
        self.reached.store(true, SeqCst);
        self.wake();
    }

    /// Somebody asks for the time. Tasks that wake each other without end are noticed by that.
    pub(crate) fn ask(&self) {
        if self.asked.fetch_add(1, SeqCst) == MOST_ASKED {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.lock() {
            waker.wake_by_ref();
        }
    }

    /// Runs all tasks of `runtime`, which [reaches](Self::reach) this, until each waits for something.
    pub(crate) fn settle(&self, runtime: &Runtime) -> Result<(), Spins> {
        self.reached.store(false, SeqCst);
        self.asked.store(0, SeqCst);
        let rest = poll_fn(|cx| {
            if self.reached.load(SeqCst) {
                return Poll::Ready(Ok(()));
            }
            if self.asked.load(SeqCst) > MOST_ASKED {
                return Poll::Ready(Err(Spins));
            }
            *self.waker.lock() = Some(cx.waker().clone());
            Poll::Pending
        });
        let rest = runtime.block_on(rest);
        // It would keep the runtime.
        *self.waker.lock() = None;
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::runtime::Builder;

    fn runtime(rest: &Arc<Rest>) -> Runtime {
        let parks = Arc::clone(rest);
        Builder::new_current_thread().on_thread_park(move || parks.reach()).build().unwrap()
    }

    #[test]
    fn whatever_tasks_do_without_waiting_is_done_when_they_rest() {
        let rest = Arc::new(Rest::default());
        let runtime = runtime(&rest);
        let task = runtime.spawn(async {
            let further = tokio::spawn(async {
                for _ in 0..5_000 {
                    tokio::task::yield_now().await;
                }
            });
            further.await.unwrap();
        });
        let waits = runtime.spawn(std::future::pending::<()>());

        assert_eq!(rest.settle(&runtime), Ok(()));

        assert!(task.is_finished() && !waits.is_finished());
        assert_eq!(rest.settle(&runtime), Ok(()), "with nothing to do");
    }

    #[test]
    fn tasks_that_never_rest_are_noticed() {
        let rest = Arc::new(Rest::default());
        let runtime = runtime(&rest);
        let asks = Arc::clone(&rest);
        runtime.spawn(async move {
            loop {
                asks.ask();
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(rest.settle(&runtime), Err(Spins));
    }
}
