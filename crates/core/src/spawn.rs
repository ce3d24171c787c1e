//! Tasks of our own, where there is a runtime.

use crate::sync::Handle;
use crate::{Error, ErrorKind, Result};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

/// Runs `future` as a task of its own; gives it back where there is no runtime.
pub(crate) fn spawn<F>(future: F) -> std::result::Result<(), F>
where
    F: Future<Output: Send> + Send + 'static,
{
    match Handle::try_current() {
        Ok(runtime) => {
            runtime.spawn(future);
            Ok(())
        }
        Err(_) => Err(future),
    }
}

/// Waits for its `turn` and does the `work`, in a task of its own.
///
/// If the caller is dropped before the work has begun, it is never done: it must not come after what was asked for
/// later. Once it has begun it goes on: a write that stops half-way may still land. And a caller that nobody polls
/// keeps nobody waiting, because it is not the caller that stands in the queue. Without a runtime it is.
pub(crate) async fn in_turn<W, T, Fut>(
    turn: impl Future<Output = W> + Send + 'static,
    work: impl FnOnce(W) -> Fut + Send + 'static,
) -> Result<T>
where
    W: Send,
    T: Send + 'static,
    Fut: Future<Output = Result<T>> + Send,
{
    let Ok(runtime) = Handle::try_current() else { return work(turn.await).await };
    let (mut answer, answered) = oneshot::channel();
    let task = runtime.spawn(async move {
        let Some(turn) = unless_left(turn, &mut answer).await else { return };
        // Nobody listens if the caller has left.
        let _ = answer.send(work(turn).await);
    });
    if let Ok(result) = answered.await {
        return result;
    }
    match task.await {
        Err(cut) if cut.is_panic() => std::panic::resume_unwind(cut.into_panic()),
        _ => Err(Error::new(ErrorKind::Closed, "the runtime ended before the store had answered")),
    }
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

/// Returns what `future` does, or the message of its panic.
pub(crate) async fn catch_panic<T>(future: impl Future<Output = T>) -> std::result::Result<T, Arc<str>> {
    let mut future = pin!(future);
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
