//! Tasks of our own, where there is a runtime.

use crate::{Error, ErrorKind, Result};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::runtime::Handle;

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

/// Waits for `future`, which goes on if the wait is dropped: a write that has begun must not stop half-way, or
/// land after a later one. Without a runtime it stops with the wait.
pub(crate) async fn detached<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let Ok(runtime) = Handle::try_current() else { return future.await };
    match runtime.spawn(future).await {
        Ok(result) => result,
        Err(cut) if cut.is_panic() => std::panic::resume_unwind(cut.into_panic()),
        Err(_) => Err(Error::new(ErrorKind::Closed, "the runtime ended before the store had answered")),
    }
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

fn message(panic: &(dyn Any + Send)) -> Arc<str> {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").into()
}
