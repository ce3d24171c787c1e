//! A line to one server: a connection that many calls share, and that comes back by itself.
//!
//! ```text
//! call ─┐ queues its command              ┌ driver, a task ─────────────────────────────────────────┐
//! call ─┼──▶ queue ───────────────────────▶ takes all that is there ──▶ one pipeline ──▶ server       │
//! call ─┘ and waits for its answer ◀──────── hands out the answers, each to its call ◀───────────────┘
//! ```
//!
//! - What was called first is sent first, so operations on one key happen in the order in which they were called.
//! - Nothing waits for company: the driver takes whatever is there when its turn comes, with at most two pipelines
//!   under way. When a call wakes it, it lets the tasks that are ready run first, so that sixteen which were answered
//!   together ask together again.
//! - Every call has a deadline, and one timer serves them all: they are sent, and so run out, in order.
//! - Whoever waits may go away at any time: the command is sent nevertheless, and its answer thrown away.
//! - A connection that is silent for the whole of a time-out is given up, with everything on it. What waits is sent on
//!   the next. This one has the server close the old first, so that what was given up is not carried out late, behind
//!   what was called after it.

mod driver;
mod queue;

use crate::dial::Dialer;
use crate::identity::Identity;
use crate::within::within;
use driver::Driver;
use larder_core::{Clock, Error, ErrorKind, SystemClock, Time};
use parking_lot::Mutex;
use queue::{Call, Queue};
use redis::{Cmd, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What all calls together may have queued or under way, in KiB; a call counts for one at least.
const ROOM: u32 = 64 << 10;

/// A connection to one server, which ends when this is dropped: what was called is still sent.
#[derive(Debug)]
pub(crate) struct Line {
    shared: Arc<Shared>,
}

/// What the calls and the driver have in common.
#[derive(Debug)]
struct Shared {
    /// Held to put a call in or to take what is there; never while something is waited for or called.
    queue: Mutex<Queue>,
    room: Arc<Semaphore>,
    dialer: Dialer,
    timeout: Duration,
}

/// What a server has answered, and which it was, if it says that.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) value: Value,
    pub(crate) server: Option<Identity>,
}

/// Why a call has no answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was not sent.
    NotSent,
    /// The connection broke: who may ask twice can ask again at once, over a new one.
    Lost,
    /// Its time is over.
    Late,
    /// The server does not know the script yet.
    UnknownScript,
    /// Another server has the slot, and which: of a cluster.
    Moved(String),
    /// Another server may have the key already, and which.
    Ask(String),
    Other,
}

impl Failure {
    pub(crate) fn new(error: Error, why: Why) -> Self {
        Failure { error, why }
    }
}

impl Line {
    /// Makes a line that connects with its first call.
    pub(crate) fn new(dialer: Dialer, timeout: Duration) -> Self {
        let room = Arc::new(Semaphore::new(ROOM as usize));
        Line { shared: Arc::new(Shared { queue: Mutex::default(), room, dialer, timeout }) }
    }

    pub(crate) fn place(&self) -> &str {
        self.shared.dialer.place()
    }

    pub(crate) fn dialer(&self) -> &Dialer {
        &self.shared.dialer
    }

    /// Sends a command that has about so many `bytes`, and returns the answer; at the deadline an error.
    ///
    /// # Cancel safety
    ///
    /// Once this was polled, the command is sent, whether it is dropped or not; unless there was no room.
    pub(crate) async fn call(&self, cmd: Cmd, bytes: usize, deadline: Time) -> Result<Reply, Failure> {
        self.call_after(false, cmd, bytes, deadline).await
    }

    /// As [`call`](Self::call), right behind `ASKING` if that is to be said first.
    pub(crate) async fn call_after(
        &self,
        asking: bool,
        cmd: Cmd,
        bytes: usize,
        deadline: Time,
    ) -> Result<Reply, Failure> {
        let room = self.room(bytes, 1, deadline).await?;
        let (answer, answered) = oneshot::channel();
        let in_order = self.push([Call { asking, cmd, bytes, answer, deadline, room: Some(room) }])?;
        self.answer(answered, in_order, deadline).await
    }

    /// Sends commands of so many `bytes` together, nothing of others between them: a later one is never carried out before
    /// an earlier one. Returns the answer of each.
    ///
    /// # Cancel safety
    ///
    /// As that of [`call`](Self::call).
    pub(crate) async fn call_in_order(
        &self,
        cmds: Vec<Cmd>,
        bytes: usize,
        deadline: Time,
    ) -> Result<Vec<Result<Reply, Failure>>, Failure> {
        let count = u32::try_from(cmds.len()).unwrap_or(ROOM);
        let mut room = Some(self.room(bytes, count, deadline).await?);
        let mut answers = Vec::with_capacity(cmds.len());
        let calls: Vec<_> = cmds
            .into_iter()
            .map(|cmd| {
                let (answer, answered) = oneshot::channel();
                answers.push(answered);
                // The first has that of all.
                Call { asking: false, cmd, bytes, answer, deadline, room: room.take() }
            })
            .collect();
        let in_order = self.push(calls)?;
        let mut answered = Vec::with_capacity(answers.len());
        for answer in answers {
            answered.push(self.answer(answer, in_order, deadline).await);
        }
        Ok(answered)
    }

    async fn answer(
        &self,
        answered: oneshot::Receiver<Result<Reply, Failure>>,
        in_order: bool,
        deadline: Time,
    ) -> Result<Reply, Failure> {
        let answered = if in_order {
            answered.await
        } else {
            // The driver looks at the oldest call only, and this one ends before that.
            match within(left(deadline), answered).await {
                Some(answered) => answered,
                None => return Err(Failure::new(self.shared.late(), Why::Late)),
            }
        };
        answered.unwrap_or_else(|_| Err(ended()))
    }

    async fn room(&self, bytes: usize, calls: u32, deadline: Time) -> Result<OwnedSemaphorePermit, Failure> {
        let kibibytes = u32::try_from(bytes >> 10).unwrap_or(ROOM).saturating_add(calls).min(ROOM);
        if let Ok(room) = Arc::clone(&self.shared.room).try_acquire_many_owned(kibibytes) {
            return Ok(room);
        }
        let room = Arc::clone(&self.shared.room).acquire_many_owned(kibibytes);
        match within(left(deadline), room).await {
            Some(Ok(room)) => Ok(room),
            _ => {
                let cure = "fewer calls at a time, or smaller values, cure it";
                let message =
                    format!("{ROOM} KiB or calls wait for Redis at {}; {cure}", self.shared.dialer.place());
                Err(Failure::new(Error::new(ErrorKind::Timeout, message), Why::Late))
            }
        }
    }

    /// Queues calls of one deadline. Returns whether no other there has a later one.
    fn push(&self, calls: impl IntoIterator<Item = Call>) -> Result<bool, Failure> {
        let mut queue = self.shared.queue.lock();
        let mut in_order = true;
        for call in calls {
            in_order &= queue.push(call);
        }
        let waker = queue.waker.take();
        let had_driver = std::mem::replace(&mut queue.has_driver, true);
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        if !had_driver {
            // Made before anything can fail: dropped, it says that there is none.
            let driver = Driver::new(Arc::clone(&self.shared));
            let runtime = tokio::runtime::Handle::try_current()
                .map_err(|_| Failure::new(no_runtime(), Why::NotSent))?;
            runtime.spawn(driver);
        }
        Ok(in_order)
    }
}

fn left(deadline: Time) -> Duration {
    deadline.since(SystemClock.now_exact())
}

impl Shared {
    fn late(&self) -> Error {
        let message = format!(
            "no answer from Redis at {} within {:?}; `.response_timeout(d)` allows more",
            self.dialer.place(),
            self.timeout
        );
        Error::new(ErrorKind::Timeout, message)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut queue = self.shared.queue.lock();
        queue.closing = true;
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn no_runtime() -> Error {
    let cure = "call it within a Tokio runtime, such as `#[tokio::main]` makes";
    Error::new(ErrorKind::Config, format!("there is no runtime to connect to Redis on; {cure}"))
}

fn ended() -> Failure {
    let message = "the runtime that the connection to Redis lived on has ended";
    Failure::new(Error::new(ErrorKind::Closed, message), Why::Lost)
}
