//! How long a call may take.

use larder_core::{Clock, Error, ErrorKind, Result, Sleep, SystemClock};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The end of one call, for all of its parts together.
pub struct Deadline {
    timer: Sleep,
    limit: Duration,
    of: &'static str,
}

impl Deadline {
    /// Begins now. `of` is what the server is called in the error.
    pub fn new(limit: Duration, of: &'static str) -> Self {
        Deadline { timer: SystemClock.sleep(limit), limit, of }
    }

    /// Waits for a part of the call, until the deadline.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] then; else those of the part.
    pub async fn bound<T>(&mut self, part: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let mut part = pin!(part);
        poll_fn(|cx| match part.as_mut().poll(cx) {
            Poll::Pending => self.timer.as_mut().poll(cx).map(|()| Err(late(self.of, self.limit))),
            done @ Poll::Ready(_) => done,
        })
        .await
    }
}

fn late(of: &str, limit: Duration) -> Error {
    let message = format!("no answer of {of} in {limit:?}");
    Error::new(ErrorKind::Timeout, message)
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("limit", &self.limit).field("of", &self.of).finish_non_exhaustive()
    }
}
