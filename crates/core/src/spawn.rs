//! Tasks of our own, where there is a runtime.

use crate::block_on::{is_blocking, is_runtime_driven};
use crate::sync::Handle;
use crate::{Error, ErrorKind, Result};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

/// Returns the runtime that this code runs in, if there is one.
pub(crate) fn runtime() -> Option<Handle> {
    Handle::try_current().ok()
}

/// Returns the runtime for what the caller waits for. A blocking call has none: it does that itself.
pub(crate) fn runtime_to_wait_for() -> Option<Handle> {
    if is_blocking() { None } else { runtime() }
}

/// Returns the runtime for what nobody waits for, and others may join. A blocking call has one only if tasks surely go on
/// there: it may have been made in a runtime that nobody drives.
pub(crate) fn runtime_in_background() -> Option<Handle> {
    if is_blocking() && !is_runtime_driven() { None } else { runtime() }
}

/// Runs `future` as a task of its own; gives it back where there is no runtime.
pub(crate) fn spawn<F>(future: F) -> std::result::Result<(), F>
where
    F: Future<Output: Send> + Send + 'static,
{
    match runtime() {
        Some(runtime) => {
            runtime.spawn(future);
            Ok(())
        }
        None => Err(future),
    }
}

/// Waits for its `turn` and does the `work`, in a task of its own.
///
/// If the caller is dropped before the work has begun, it is never done: it must not come after what was asked for
/// later. Once it has begun it goes on: a write that stops half-way may still land. And a caller that nobody polls
/// keeps nobody waiting, because it is not the caller that stands in the queue. Without a runtime it is, and so is a
/// blocking call, which cannot be dropped.
pub(crate) async fn in_turn<W, T, Fut>(
    turn: impl Future<Output = W> + Send + 'static,
    work: impl FnOnce(W) -> Fut + Send + 'static,
) -> Result<T>
where
    W: Send,
    T: Send + 'static,
    Fut: Future<Output = Result<T>> + Send,
{
    let Some(runtime) = runtime_to_wait_for() else { return work(turn.await).await };
    let (task, answered) = queued(turn, work);
    let task = runtime.spawn(task);
    if let Ok(result) = answered.await {
        return result;
    }
    match task.await {
        Err(cut) if cut.is_panic() => std::panic::resume_unwind(cut.into_panic()),
        _ => Err(Error::new(ErrorKind::Closed, "the runtime ended before the store had answered")),
    }
}

/// The task that waits for its `turn` and does the `work`, unless who waits for the answer has left before.
pub(crate) fn queued<W, T, Fut>(
    turn: impl Future<Output = W> + Send + 'static,
    work: impl FnOnce(W) -> Fut + Send + 'static,
) -> (impl Future<Output = ()> + Send + 'static, oneshot::Receiver<T>)
where
    W: Send,
    T: Send + 'static,
    Fut: Future<Output = T> + Send,
{
    let (mut answer, answered) = oneshot::channel();
    let task = async move {
        let Some(turn) = unless_left(turn, &mut answer).await else { return };
        // Nobody listens if the caller has left.
        let _ = answer.send(work(turn).await);
    };
    (task, answered)
}

/// The task that does `work` until it is done, or until who waits for the answer has left.
pub(crate) fn task_for<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> (impl Future<Output = ()> + Send + 'static, oneshot::Receiver<T>) {
    let (mut answer, answered) = oneshot::channel();
    let task = async move {
        if let Some(done) = unless_left(work, &mut answer).await {
            // Nobody listens if the caller has left.
            let _ = answer.send(done);
        }
    };
    (task, answered)
}

/// Waits for `turn`; `None` if who waits for the `answer` has left before.
async fn unless_left<W, T>(turn: impl Future<Output = W>, answer: &mut oneshot::Sender<T>) -> Option<W> {
    let mut turn = pin!(turn);
    poll_fn(|cx| match answer.poll_closed(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => turn.as_mut().poll(cx).map(Some),
    })
    .await
}

/// Waits for `call`; `None` once nobody waits for an answer any more.
pub(crate) async fn unless_all_left<T, A>(
    mut call: Pin<&mut (impl Future<Output = T> + Send)>,
    askers: &mut [oneshot::Sender<A>],
) -> Option<T> {
    let mut left = 0;
    poll_fn(|cx| {
        if let Poll::Ready(answers) = call.as_mut().poll(cx) {
            return Poll::Ready(Some(answers));
        }
        // One that is still there is enough, and wakes us when it leaves.
        while let Some(asker) = askers.get_mut(left) {
            if asker.poll_closed(cx).is_pending() {
                return Poll::Pending;
            }
            left += 1;
        }
        Poll::Ready(None)
    })
    .await
}

/// Runs a future that claims never to wait.
pub(crate) fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::new(
            ErrorKind::Store,
            "the store claims the capability `immediate`, yet it made us wait",
        )),
    }
}

/// Returns what `future` does, or the message of its panic. It is given pinned, because an async function keeps what it
/// is given twice: a load would be copied at each step.
pub(crate) async fn catch_panic<T>(
    mut future: Pin<&mut (impl Future<Output = T> + Send)>,
) -> std::result::Result<T, Arc<str>> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    })
    .await
}

/// Returns what a panic said.
pub(crate) fn message(panic: &(dyn Any + Send)) -> Arc<str> {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").into()
}
