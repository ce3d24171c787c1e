//! Waiting no longer than is allowed.

use crate::Clock;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// Waits for `future`, from its first poll on for at most `span`; then `None`. It stays its owner's, to be dropped or
/// waited for again.
pub(crate) async fn in_time<T>(
    clock: &dyn Clock,
    span: Duration,
    mut future: Pin<&mut (impl Future<Output = T> + Send)>,
) -> Option<T> {
    // Most stores of a process answer when first asked, and a timer has its price.
    let mut timer = None;
    poll_fn(|cx| {
        // The answer first: it counts even where it comes together with the timer.
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        timer.get_or_insert_with(|| clock.sleep(span)).as_mut().poll(cx).map(|()| None)
    })
    .await
}
