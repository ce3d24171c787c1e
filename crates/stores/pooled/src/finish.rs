//! A call whose caller has gone away goes on to its end.
//!
//! To drop a request in the middle would leave its connection with an answer that nobody asked for any more, and
//! a write that may arrive at any later time, behind the writes that were called after it. So the rest becomes a
//! task; while the caller waits it costs one allocation.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// Waits for `work`, which goes on without its caller. It must end by itself, in bounded time.
pub fn finish<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Finish<T> {
    Finish(Some(Box::pin(work)))
}

/// What is waited for; `None` once it is done.
pub struct Finish<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for Finish<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let work = self.0.as_mut().expect("what is done is not waited for again");
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Finish<T> {
    fn drop(&mut self) {
        // Without a runtime there are no connections either: theirs is gone.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Finish<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finish").field("is_done", &self.0.is_none()).finish()
    }
}
