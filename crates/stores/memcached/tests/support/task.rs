//! Futures that are polled as far as a test wants.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls a call so many times and drops it, unless it is done before; says which.
pub(crate) async fn cancel_after<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
        if let Poll::Ready(done) = polled {
            return Some(done);
        }
        tokio::task::yield_now().await;
    }
    None
}
