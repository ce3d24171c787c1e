//! How long a call may take.

use larder_core::{Clock, Error, ErrorKind, Result, Sleep, SystemClock};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The end of one call, for all of its parts together.
pub(crate) struct Deadline {
    timer: Sleep,
    limit: Duration,
}

impl Deadline {
    pub(crate) fn new(limit: Duration) -> Self {
        Deadline { timer: SystemClock.sleep(limit), limit }
    }

    /// Waits for a part of the call, until the deadline.
    pub(crate) async fn bound<T>(&mut self, part: impl Future<Output = Result<T>>) -> Result<T> {
        let mut part = pin!(part);
        poll_fn(|cx| match part.as_mut().poll(cx) {
            Poll::Pending => self.timer.as_mut().poll(cx).map(|()| Err(late(self.limit))),
            done @ Poll::Ready(_) => done,
        })
        .await
    }
}

fn late(limit: Duration) -> Error {
    let message = format!("no answer of memcached in {limit:?}");
    Error::new(ErrorKind::Timeout, message)
}
