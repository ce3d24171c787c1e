//! Waiting for a future on the calling thread, for [`Cache::blocking`](crate::Cache::blocking).
//!
//! What a blocking call waits for is done on its own thread, as where there is no runtime: in a task, it might wait for
//! threads of a runtime that all wait like this one. Only what nobody waits for is left to a runtime.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{block_in_place, unconstrained};

thread_local! {
    /// Whether this thread polls the future of a blocking call.
    static BLOCKING: Cell<bool> = const { Cell::new(false) };
}

/// How often a future that wakes itself is polled before it counts as one that waits: it may be asking again and again
/// whether somebody else is ready.
const ROUNDS: usize = 100;

const REFUSED: &str = "a blocking call would have stopped the runtime that it waits for: on a current-thread runtime, or \
    in a `LocalSet`, `.await` the method of the cache itself, or call this in `tokio::task::spawn_blocking`";

/// Whether the calling code is part of a blocking call.
pub(crate) fn is_blocking() -> bool {
    BLOCKING.get()
}

/// Whether tasks of the runtime here go on while this thread waits.
pub(crate) fn is_runtime_driven() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() != RuntimeFlavor::CurrentThread)
}

/// Waits for `future`, in the `runtime` if the thread is in none.
///
/// What waits for nobody else is done wherever this is called, as memory is.
///
/// # Panics
///
/// If it would have to wait, and nothing else could go on meanwhile.
#[track_caller]
pub(crate) fn block_on<F: Future>(runtime: Option<&Handle>, future: F) -> F::Output {
    let _entered = runtime.filter(|_| Handle::try_current().is_err()).map(Handle::enter);
    // A task has a budget, and is made to wait when that is spent; but this is not its future.
    let mut future = pin!(unconstrained(future));
    if let Poll::Ready(answer) = poll(future.as_mut(), Waker::noop()) {
        return answer;
    }
    let parked = Arc::new(Parked { thread: std::thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parked));
    for _ in 0..ROUNDS {
        if let Poll::Ready(answer) = poll(future.as_mut(), &waker) {
            return answer;
        }
        if !parked.woken.swap(false, SeqCst) {
            break;
        }
    }
    in_place(|| wait(future, &parked, &waker))
}

/// Runs code of the user that blocks, such as a load.
#[track_caller]
pub(crate) fn run_blocking<T>(work: impl FnOnce() -> T) -> T {
    // The code may drive futures of its own, for which the runtime is as usual.
    let _outside = Blocking::begin(false);
    // The only task of a current-thread runtime blocks, as with any code that does.
    if is_runtime_driven() { in_place(work) } else { work() }
}

/// Blocks in a place where that stops nobody: threads of a runtime with several hand their other tasks over.
#[track_caller]
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    let begun = Cell::new(false);
    let done = catch_unwind(AssertUnwindSafe(|| {
        block_in_place(|| {
            begun.set(true);
            work()
        })
    }));
    match done {
        Ok(done) => done,
        Err(panic) => {
            // Only tokio knows whether the thread runs tasks of such a runtime; it says so by a panic.
            assert!(begun.get(), "{REFUSED}");
            resume_unwind(panic)
        }
    }
}

/// Goes as far with `future` as it does without waiting, as a blocking call does.
pub(crate) fn begin<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    poll(future, Waker::noop())
}

fn wait<F: Future>(mut future: Pin<&mut F>, parked: &Parked, waker: &Waker) -> F::Output {
    loop {
        if let Poll::Ready(answer) = poll(future.as_mut(), waker) {
            return answer;
        }
        // Threads are unparked for other reasons too.
        while !parked.woken.swap(false, SeqCst) {
            std::thread::park();
        }
    }
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    let _inside = Blocking::begin(true);
    future.poll(&mut Context::from_waker(waker))
}

/// Says of the thread whether it polls the future of a blocking call, until dropped.
struct Blocking {
    before: bool,
}

impl Blocking {
    fn begin(is_blocking: bool) -> Self {
        Blocking { before: BLOCKING.replace(is_blocking) }
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        BLOCKING.set(self.before);
    }
}

struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, SeqCst);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::runtime::Builder;

    /// Gives way to other tasks so many times, as one does that asks again and again whether something has come.
    fn after(mut times: usize) -> impl Future<Output = ()> {
        poll_fn(move |cx| {
            if times == 0 {
                return Poll::Ready(());
            }
            times -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    #[test]
    fn what_only_gives_way_a_few_times_waits_for_nobody() {
        Builder::new_current_thread().build().unwrap().block_on(async { block_on(None, after(20)) });
        block_on(None, after(10_000));
    }

    #[test]
    #[should_panic(expected = "`.await` the method of the cache itself")]
    fn what_asks_for_ever_whether_another_task_has_done_something_counts_as_waiting() {
        Builder::new_current_thread().build().unwrap().block_on(async { block_on(None, after(usize::MAX)) });
    }
}
