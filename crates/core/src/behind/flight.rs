//! One write of the queue, from the queue to the store.

use super::state::{Landing, Write};
use super::{Core, Sealed};
use crate::counters::LevelCounters;
use crate::crowd::BoxFuture;
use crate::event::{Event, Observers, Operation};
use crate::guard::{Guard, Witness};
use crate::holds::Cx;
use crate::spawn::catch_panic;
use crate::{ByteStore, Clock, Error, ErrorKind, Result, Time};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

/// A store, as much of it as the queue needs, without its type.
pub(super) trait Sink: Send + Sync {
    fn put<'a>(&'a self, key: &'a str, value: &'a Sealed) -> BoxFuture<'a, Result<()>>;
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<()>>;
}

impl<B: ByteStore> Sink for Arc<B> {
    fn put<'a>(&'a self, key: &'a str, value: &'a Sealed) -> BoxFuture<'a, Result<()>> {
        Box::pin(value.put(&**self, key))
    }
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin((**self).remove(key))
    }
}

/// Whom to tell what became of a write: those whom the handle tells that made it.
#[derive(Clone)]
pub(super) struct Report {
    level: Arc<LevelCounters>,
    observers: Observers,
    /// What stands before the store for that handle, as for its calls that do not wait here.
    guard: Arc<Guard>,
}

impl Report {
    pub(super) fn of(cx: Cx<'_>, guard: &Arc<Guard>) -> Self {
        let (level, observers) = (Arc::clone(cx.counters.level(cx.base)), cx.observers.clone());
        Report { level, observers, guard: Arc::clone(guard) }
    }

    fn witness<'a>(&'a self, clock: &'a dyn Clock) -> Witness<'a> {
        Witness { clock, level: &self.level, observers: &self.observers }
    }

    fn failed(&self, error: Error) -> Error {
        self.observers.level_failed(&self.level, Operation::Write, error)
    }

    pub(super) fn given_up(&self, error: &Error) {
        self.level.given_up.add();
        self.observers.tell(&Event::WriteGivenUp { level: &self.level.name, error });
    }
}

/// A write that is under way. If it is dropped before it has landed, because its runtime ended, it goes back into the
/// queue.
pub(super) struct Flight {
    core: Arc<Core>,
    key: Arc<str>,
    place: u64,
    /// Taken when it lands.
    write: Option<Write>,
}

impl Flight {
    pub(super) fn new(core: &Arc<Core>, key: Arc<str>, place: u64, write: Write) -> Self {
        Flight { core: Arc::clone(core), key, place, write: Some(write) }
    }

    pub(super) async fn fly(mut self) {
        let Some(write) = &mut self.write else { return };
        let core = Arc::clone(&self.core);
        let Some(clock) = core.clock.get() else { return };
        if write.tries == 0 && write.refusals == 0 {
            write.report.level.writes.add();
        }
        write.tries += 1;
        let dead = clock.now_exact() >= write.value.dead_at;
        let (value, key) = (&write.value, &*self.key);
        let (witness, guard) = (write.report.witness(&**clock), &write.report.guard);
        let remove = async || guard.run(witness, Operation::Remove, pin!(core.sink.remove(key))).await;
        let attempt = async {
            if dead {
                // Nobody would read it. But what is there is older, and may have longer to live.
                remove().await
            } else {
                let put = pin!(core.sink.put(key, value));
                guard.run(witness, Operation::Write, put).await
            }
        };
        let Err(error) = caught(attempt).await else {
            self.land(|_| Landing::Written);
            return;
        };
        let refused = error.kind() == ErrorKind::BreakerOpen;
        if refused && dead {
            // There is nothing left to write. What the store has in its place stays there until its own end.
            self.land(|_| Landing::Written);
            return;
        }
        if refused && !core.state.lock().shut {
            // The store was not asked, so this was no try; unless there is no time left to wait for it.
            write.tries -= 1;
            write.refusals = write.refusals.saturating_add(1);
        }
        let error = write.report.failed(error);
        if write.tries <= core.options.retries && is_curable(&error) {
            let due = clock
                .now_exact()
                .after(core.options.back_off.after(write.tries.saturating_add(write.refusals).max(1)));
            self.land(|write| Landing::Again(write, due));
            return;
        }
        // What cannot be written here should not leave the older value in its place.
        let _ = caught(remove()).await;
        let (error, report) = (Arc::new(error), write.report.clone());
        if self.land(|_| Landing::GivenUp(Arc::clone(&error))) {
            report.given_up(&error);
        }
    }

    /// Returns whether a value was lost.
    fn land(&mut self, landing: impl FnOnce(Write) -> Landing) -> bool {
        let Some(write) = self.write.take() else { return false };
        let landing = landing(write);
        let lost = {
            let mut state = self.core.state.lock();
            let lost = state.land(&self.key, self.place, landing);
            self.core.give_back(state.take_freed());
            lost
        };
        self.core.wake.notify_one();
        self.core.landed.notify_waiters();
        lost
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.write.is_some() {
            // It may have landed or not: once more does no harm, and that it was cut off is not the store's fault.
            self.land(|mut write| {
                write.tries = write.tries.saturating_sub(1);
                Landing::Again(write, Time::from_nanos(0))
            });
            self.core.tell_of_orphans();
        }
    }
}

fn is_curable(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::TooLarge | ErrorKind::Unsupported)
}

/// A store's panic is an error like others: the rest of the queue is not to go down with it.
async fn caught(work: impl Future<Output = Result<()>> + Send) -> Result<()> {
    catch_panic(pin!(work)).await.unwrap_or_else(|message| {
        Err(Error::new(ErrorKind::Closed, format!("the store panicked: {message}")))
    })
}
