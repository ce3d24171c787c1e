//! What stands between a cache and a store that may be slow or down: a time-out, and a circuit breaker.
//!
//! ```text
//! call ── breaker open? ── yes ── refused at once: `ErrorKind::BreakerOpen`
//!              │ no
//!         ask the store ── done when first polled ─────────────── its answer
//!              │ else a timer
//!              ├── it answers in time ─────────────────────────── its answer
//!              └── it does not: its future is dropped ─────────── `ErrorKind::Timeout`
//! ```
//!
//! One guard a level, shared by the handles of that level: whoever finds the store down finds it down for all of
//! them. A store that claims never to wait is not guarded, and pays nothing.
//!
//! *A write that timed out may still land.* Dropping its future takes back nothing that is on its way: a command
//! which a server has received, a file that another thread is writing. It may land after a later write of the same key,
//! and is then what that level holds, until it expires or is written again. To wait for it, as for one whose caller has
//! left, would make a store that hangs the warden of every key that it was asked to write: the turn must end. Hence
//! the caller of `insert` and `remove` is told, and may choose a longer time-out.

use crate::breaker::{Breaker, BreakerState};
use crate::circuit::{Circuit, Pass, Verdict};
use crate::counters::LevelCounters;
use crate::event::{Event, Observers, Operation};
use crate::in_time::in_time;
use crate::{Clock, Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// See the module.
pub(crate) struct Guard {
    timeout: Duration,
    breaker: Breaker,
    /// Held to let a call through or to note its end, never across an await; no user code runs under it.
    circuit: Mutex<Circuit>,
}

/// Which level a call is made at, and by which clock; whom to tell what comes of it.
#[derive(Clone, Copy)]
pub(crate) struct Witness<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) level: &'a LevelCounters,
    pub(crate) observers: &'a Observers,
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// `clear` touches many entries in one call, and is given this long, or the level's time-out if that is longer. Not
/// for ever: it keeps all writers waiting.
const CLEAR_TIMEOUT: Duration = Duration::from_secs(30);

impl Guard {
    pub(crate) fn new() -> Self {
        Self::of(DEFAULT_TIMEOUT, Breaker::default())
    }

    pub(crate) fn of(timeout: Duration, breaker: Breaker) -> Self {
        Guard { timeout, breaker, circuit: Mutex::new(Circuit::new()) }
    }

    /// A guard that knows nothing of the store yet, with another time-out.
    pub(crate) fn with_timeout(&self, timeout: Duration) -> Self {
        Self::of(timeout, self.breaker)
    }

    /// A guard that knows nothing of the store yet, with another breaker.
    pub(crate) fn with_breaker(&self, breaker: Breaker) -> Self {
        Self::of(self.timeout, breaker)
    }

    /// What the breaker lets through, if there is one.
    pub(crate) fn state(&self) -> Option<BreakerState> {
        self.breaker.on.then(|| self.circuit.lock().state())
    }

    /// Asks the store, unless the breaker is open, and waits for as long as is allowed.
    pub(crate) async fn run<T: Send>(
        &self,
        witness: Witness<'_>,
        operation: Operation,
        call: Pin<&mut (impl Future<Output = Result<T>> + Send)>,
    ) -> Result<T> {
        let passage = self.enter(witness)?;
        let timeout = self.timeout(operation);
        // The call is dropped by its owner if that is too short.
        let answer = in_time(witness.clock, timeout, call).await.unwrap_or_else(|| Err(too_late(timeout)));
        passage.end(&answer);
        answer
    }

    fn timeout(&self, operation: Operation) -> Duration {
        if operation == Operation::Clear { self.timeout.max(CLEAR_TIMEOUT) } else { self.timeout }
    }

    fn enter<'a>(&'a self, witness: Witness<'a>) -> Result<Passage<'a>> {
        let mut passage = Passage { guard: self, witness, pass: None };
        if !self.breaker.on {
            return Ok(passage);
        }
        // Some milliseconds matter to no breaker.
        let now = witness.clock.now();
        let admitted = self.circuit.lock().admit(now);
        match admitted {
            Ok(pass) => {
                let change = pass.change;
                passage.pass = Some(pass);
                passage.tell(change);
                Ok(passage)
            }
            Err(left) => Err(refused(left)),
        }
    }
}

fn refused(left: Option<Duration>) -> Error {
    let next = left
        .map_or_else(|| "one call is trying it now".into(), |left| format!("the next try is in {left:?}"));
    Error::new(ErrorKind::BreakerOpen, format!("too many calls failed, {next}; `.breaker(..)` decides when"))
}

fn too_late(timeout: Duration) -> Error {
    let message = format!("nothing within {timeout:?}; `.level_timeout(d)` allows more");
    Error::new(ErrorKind::Timeout, message)
}

/// A call that was let through. Dropped before its end, it says nothing about the store.
struct Passage<'a> {
    guard: &'a Guard,
    witness: Witness<'a>,
    pass: Option<Pass>,
}

impl Passage<'_> {
    fn end<T>(mut self, answer: &Result<T>) {
        let verdict = match answer.as_ref().map_err(Error::kind) {
            Err(ErrorKind::Store | ErrorKind::Timeout | ErrorKind::Config) => Verdict::Failed,
            // That is the runtime's end, not the store's.
            Err(ErrorKind::Closed) => Verdict::Nothing,
            _ => Verdict::Answered,
        };
        self.note(verdict);
    }

    fn note(&mut self, verdict: Verdict) {
        if let Some(pass) = self.pass.take() {
            let now = self.witness.clock.now();
            let change = self.guard.circuit.lock().end(&self.guard.breaker, &pass, verdict, now);
            self.tell(change);
        }
    }

    fn tell(&self, change: Option<BreakerState>) {
        if let Some(state) = change {
            let level = &*self.witness.level.name;
            self.witness.observers.tell(&Event::BreakerChanged { level, state });
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.note(Verdict::Nothing);
    }
}
