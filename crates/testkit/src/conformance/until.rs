//! Waiting for what comes from elsewhere, for a bounded time.

use larder_core::{Clock, SystemClock};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

/// A real server may be slow, on a machine with much to do. None is slower than that.
static LONGEST_SECONDS: AtomicU64 = AtomicU64::new(20);

/// Gives up after two seconds in this process: for those who know that nothing comes.
#[doc(hidden)]
pub fn impatient() {
    LONGEST_SECONDS.store(2, Relaxed);
}

fn longest() -> Duration {
    Duration::from_secs(LONGEST_SECONDS.load(Relaxed))
}

/// Waits until `is_so`, which is asked again and again.
pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = SystemClock.now_exact();
    while !is_so() {
        assert!(
            SystemClock.now_exact().since(begun) < longest(),
            "it did not come in {:?}: {what}",
            longest()
        );
        tokio::task::yield_now().await;
    }
}

/// Waits for the end of `future`.
pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let (mut future, mut timer) = (pin!(future), SystemClock.sleep(longest()));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Pending if timer.as_mut().poll(cx).is_ready() => {
            panic!("it did not end in {:?}: {what}", longest())
        }
        polled => polled,
    })
    .await
}
