//! What waits to be sent.

use super::{Failure, Reply};
use larder_core::Time;
use redis::Cmd;
use std::collections::VecDeque;
use std::task::Waker;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Commands in one pipeline, and bytes: a server answers nobody else while it is at it.
const COMMANDS: usize = 512;
const BYTES: usize = 1 << 20;

/// A command, and who waits for its answer.
#[derive(Debug)]
pub(super) struct Call {
    /// Whether the server is to be told first that it was asked for a slot that is on its way to it.
    pub(super) asking: bool,
    pub(super) cmd: Cmd,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Result<Reply, Failure>>,
    pub(super) deadline: Time,
    /// That of several, where they were called together.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    calls: VecDeque<Call>,
    /// The latest deadline of the calls since there was nothing to do.
    latest: Option<Time>,
    /// Whether a task sends what is here, or is about to be.
    pub(super) has_driver: bool,
    /// Nobody will call again.
    pub(super) closing: bool,
    /// Of the driver, when it found nothing to do.
    pub(super) waker: Option<Waker>,
}

impl Queue {
    /// Returns whether none of the calls that are here or under way has a later deadline.
    pub(super) fn push(&mut self, call: Call) -> bool {
        let in_order = Some(call.deadline) >= self.latest;
        self.latest = self.latest.max(Some(call.deadline));
        self.calls.push_back(call);
        in_order
    }

    /// Nothing is here or under way.
    pub(super) fn is_idle(&mut self) {
        self.latest = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// When the oldest call runs out.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.calls.front().map(|call| call.deadline)
    }

    /// Takes what goes into one pipeline: the oldest calls, one at least if there is one.
    pub(super) fn take(&mut self) -> Vec<Call> {
        let mut bytes = 0;
        let fits = self.calls.iter().take(COMMANDS).take_while(|call| {
            let is_first = bytes == 0;
            bytes += call.bytes.max(1);
            is_first || bytes <= BYTES
        });
        let fits = fits.count();
        self.calls.drain(..fits).collect()
    }

    /// Takes the oldest calls whose time is over.
    pub(super) fn take_late(&mut self, now: Time) -> Vec<Call> {
        let late = self.calls.iter().take_while(|call| call.deadline <= now).count();
        self.calls.drain(..late).collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<Call> {
        self.calls.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    fn call(number: usize, bytes: usize, second: u64) -> Call {
        let (answer, _) = oneshot::channel();
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().ok();
        let deadline = Time::from_nanos(0).after(Duration::from_secs(second));
        let mut cmd = Cmd::new();
        cmd.arg(number);
        Call { asking: false, cmd, bytes, answer, deadline, room }
    }

    fn queue(bytes: impl IntoIterator<Item = usize>) -> Queue {
        let mut queue = Queue::default();
        for (number, bytes) in bytes.into_iter().enumerate() {
            queue.push(call(number, bytes, number as u64));
        }
        queue
    }

    #[test]
    fn a_pipeline_has_so_many_commands_and_bytes_and_never_none() {
        let mut many = queue(std::iter::repeat_n(0, COMMANDS + 3));
        assert_eq!((many.take().len(), many.take().len(), many.take().len()), (COMMANDS, 3, 0));
        let mut large = queue([BYTES + 1, 5, BYTES - 5, 1]);
        assert_eq!((large.take().len(), large.take().len(), large.take().len()), (1, 2, 1));
    }

    #[test]
    fn those_whose_time_is_over_are_taken_and_no_others() {
        let mut queue = queue([1, 1, 1, 1]);
        let late = queue.take_late(Time::from_nanos(0).after(Duration::from_secs(2)));
        assert_eq!((late.len(), queue.take_all().len()), (3, 1));
    }

    #[test]
    fn a_call_that_ends_before_an_older_one_is_out_of_order() {
        let mut queue = Queue::default();
        assert!(queue.push(call(0, 1, 5)));
        assert!(queue.push(call(1, 1, 5)));
        assert!(!queue.push(call(2, 1, 4)));
        queue.take_all();
        assert!(!queue.push(call(3, 1, 4)), "it may be under way");
        queue.take_all();
        queue.is_idle();
        assert!(queue.push(call(4, 1, 4)));
    }
}
