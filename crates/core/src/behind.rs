//! Write-behind: the queue in front of the store of one level, and what reads, removals and the end do to it.
//!
//! It holds text keys and sealed envelopes, and knows neither `K` nor `V`, so that it lives in the level and is the
//! same for every handle of it: clones, those with another policy, the boxed form.
//!
//! ```text
//! insert ada=1 ── queued          insert ada=2 ── takes its place       remove ada ── drops what waits,
//!        |                               |                              lets what flies land, then removes
//!        v  due: at once, or `.every`    v
//!     waiting ──────────── flying (`.concurrency` at a time) ──────────> written
//!        ^                   |
//!        '── fails: 100 ms, 200 ms, 400 ms .. ──> given up, counted and told
//! ```
//!
//! *One write a key at a time.* A newer value takes the place of one that waits; while one flies it waits behind it.
//! So the store sees the values of a key in their order.
//!
//! *Reads see what is queued first*, so an insert that returned is read even where the store is slow.
//!
//! *Removals win.* A removal drops what waits, and waits for what flies, before it removes in the store: a write that
//! is under way may land at any time until it has ended. While it works, the key reads as missing, because what the
//! store still has is older than what was dropped.
//!
//! *The task* ([`flusher`]) exists while there is something to write and runs on the runtime of the write that found
//! none. If that runtime ends, what it was writing goes back into the queue, and the next write, flush or shutdown
//! starts another. The task holds the store and not the cache: when the last handle goes, what is pending is hastened,
//! written, and the task ends.

mod flight;
mod flusher;
mod options;
mod sealed;
mod state;

pub use options::{Behind, WhenFull};
pub(crate) use sealed::Sealed;

use crate::guard::Guard;
use crate::holds::{Cx, Drain};
use crate::{ByteStore, Clock, Error, ErrorKind, Result, Time};
use bytes::Bytes;
use flight::{Report, Sink};
use flusher::Running;
use parking_lot::Mutex;
use state::{Refused, State};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// The handles' side of the queue. Dropping it hastens what is pending; nothing is waited for.
pub struct Queue(Arc<Core>);

/// What the handles share with the task.
struct Core {
    sink: Arc<dyn Sink>,
    options: Behind,
    /// Held for a look-up or a change, never while a store or an observer works.
    state: Mutex<State>,
    /// A permit for each key that may still be queued. Callers wait here for room, in order.
    room: Semaphore,
    /// Wakes the task: something has become due, or has landed.
    wake: Notify,
    /// Wakes those who wait for something to land.
    landed: Notify,
    /// That of the first write, for what happens when no cache is left to ask.
    clock: OnceLock<Arc<dyn Clock>>,
}

/// What became of a value that was offered to the queue.
pub(crate) enum Offered<'a> {
    /// It will be written.
    Queued,
    /// The caller is to write it, and to drop the rest afterwards: no older value of the key is on its way.
    Refused(Sealed, Withdrawn<'a>),
}

/// What the queue says to a read.
pub(crate) enum Seen {
    /// The newest value.
    Bytes(Bytes),
    /// The key is being removed.
    Nothing,
}

impl Queue {
    pub(crate) fn new<B: ByteStore>(store: &Arc<B>, options: Behind) -> Self {
        Self::over(Arc::new(Arc::clone(store)), options)
    }

    /// An empty queue with the same options, for another level over the same store.
    pub(crate) fn anew(&self) -> Self {
        Self::over(Arc::clone(&self.0.sink), self.0.options.clone())
    }

    fn over(sink: Arc<dyn Sink>, mut options: Behind) -> Self {
        options.max_pending = options.max_pending.min(Semaphore::MAX_PERMITS);
        let core = Core {
            sink,
            state: Mutex::new(State::default()),
            room: Semaphore::new(options.max_pending),
            wake: Notify::new(),
            landed: Notify::new(),
            clock: OnceLock::new(),
            options,
        };
        Queue(Arc::new(core))
    }

    /// Queues the value, in place of an older one. It is the caller's to write if there is no room and the caller is
    /// not to wait for any, no runtime, or no queue any more.
    pub(crate) async fn offer(
        &self,
        cx: Cx<'_>,
        guard: &Arc<Guard>,
        key: &str,
        mut value: Sealed,
    ) -> Offered<'_> {
        let core = &self.0;
        let mut room = None;
        while Handle::try_current().is_ok() {
            let now = core.clock.get_or_init(|| Arc::clone(cx.clock)).now_exact();
            match core.enqueue(key, value, Report::of(cx, guard), room.take(), now) {
                Ok(is_first) => {
                    core.start();
                    if is_first {
                        core.wake.notify_one();
                    }
                    return Offered::Queued;
                }
                Err((refused, Refused::Full)) if core.options.when_full == WhenFull::Wait => {
                    value = refused;
                    // Never closed; and without a permit it is asked for again.
                    room = core.room.acquire().await.ok();
                }
                Err((refused, _)) => {
                    value = refused;
                    break;
                }
            }
        }
        drop(room);
        let withdrawn = self.withdraw(key).await;
        Offered::Refused(value, withdrawn)
    }

    /// What the queue knows of the key; `None` to ask the store.
    pub(crate) fn see(&self, key: &str) -> Option<Seen> {
        self.0.state.lock().see(key)
    }

    /// Drops what is pending of the key, and waits until nothing of it flies. The key reads as missing until the
    /// result is dropped.
    pub(crate) async fn withdraw(&self, key: &str) -> Withdrawn<'_> {
        let key = {
            let mut state = self.0.state.lock();
            let key = state.withdraw(key);
            self.0.give_back(state.take_freed());
            key
        };
        // Wakes those who flush: one write fewer to wait for.
        self.0.landed.notify_waiters();
        let withdrawn = Withdrawn { core: &self.0, key };
        if let Some(key) = &withdrawn.key {
            self.0.until(|state| !state.flies(key)).await;
        }
        withdrawn
    }

    /// Drops all that is pending, and waits until nothing flies. No key is written, and all read as missing, until the
    /// result is dropped.
    pub(crate) async fn withdraw_all(&self) -> AllWithdrawn<'_> {
        {
            let mut state = self.0.state.lock();
            state.withdraw_all();
            self.0.give_back(state.take_freed());
        }
        self.0.landed.notify_waiters();
        let withdrawn = AllWithdrawn(&self.0);
        self.0.until(|state| !state.any_flies()).await;
        withdrawn
    }

    /// The keys that are not written yet.
    pub(crate) fn pending(&self) -> u64 {
        self.0.state.lock().pending() as u64
    }

    /// Writes what is pending now, and returns when all of it is written or given up. After a shutdown every value is
    /// refused.
    pub(crate) async fn drain(&self, how: Drain) -> Result<()> {
        let core = &self.0;
        let last = {
            let mut state = core.state.lock();
            state.shut |= how == Drain::Shutdown;
            state.hasten()
        };
        core.wake.notify_one();
        loop {
            // Counts from its creation, so what lands between the check and the await is not missed.
            let landed = core.landed.notified();
            if core.state.lock().is_settled(last) {
                break;
            }
            if core.start() { landed.await } else { core.flush_here().await }
        }
        let lost = std::mem::take(&mut core.state.lock().lost);
        let Some(error) = lost.last else { return Ok(()) };
        let writes = if lost.writes == 1 { "1 write was" } else { &format!("{} writes were", lost.writes) };
        Err(Error::new(error.kind(), format!("{writes} given up")).caused_by(error))
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("pending", &self.pending()).finish_non_exhaustive()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        {
            let mut state = self.0.state.lock();
            state.closed = true;
            state.hasten();
        }
        self.0.start();
        self.0.wake.notify_one();
        self.0.tell_of_orphans();
    }
}

impl Core {
    fn enqueue(
        &self,
        key: &str,
        value: Sealed,
        report: Report,
        room: Option<SemaphorePermit<'_>>,
        now: Time,
    ) -> std::result::Result<bool, (Sealed, Refused)> {
        let mut state = self.state.lock();
        // A queue that is half full does not wait for its interval: that alone is not to fill it.
        let every = if self.room.available_permits() < self.options.max_pending.div_ceil(2) {
            Duration::ZERO
        } else {
            self.options.every
        };
        // The permit is the slot's until that is freed.
        let take = || room.or_else(|| self.room.try_acquire().ok()).map(SemaphorePermit::forget);
        state.enqueue(key, value, report, now.after(every), || take().is_some())
    }

    /// Returns the permits of keys that have left the queue.
    fn give_back(&self, freed: usize) {
        self.room.add_permits(freed);
    }

    /// Sees to it that a task is at work if there is work. `false` where there is no runtime for one.
    fn start(self: &Arc<Self>) -> bool {
        if let Ok(runtime) = Handle::try_current()
            && let Some(running) = Running::begin(self)
        {
            runtime.spawn(running.run(Some(runtime.clone())));
        }
        // A runtime that is ending has dropped the task already.
        let state = self.state.lock();
        state.running || state.pending() == 0
    }

    /// Does the task's work in the caller's future.
    async fn flush_here(self: &Arc<Self>) {
        if let Some(running) = Running::begin(self) {
            running.run(None).await;
        }
    }

    async fn until(&self, is_so: impl Fn(&State) -> bool) {
        loop {
            let mut landed = pin!(self.landed.notified());
            // Registered before the check.
            landed.as_mut().enable();
            if is_so(&self.state.lock()) {
                return;
            }
            landed.await;
        }
    }

    /// Reports what nobody will write any more: the handles are gone, and so is the runtime.
    fn tell_of_orphans(&self) {
        let orphans = self.state.lock().take_orphans();
        for report in orphans {
            report.given_up(&Error::new(ErrorKind::Closed, "the runtime ended before it was written"));
        }
    }
}

/// See [`Queue::withdraw`].
pub(crate) struct Withdrawn<'a> {
    core: &'a Core,
    /// `None` if the queue knew nothing of the key.
    key: Option<Arc<str>>,
}

impl Drop for Withdrawn<'_> {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            let mut state = self.core.state.lock();
            state.release(key);
            self.core.give_back(state.take_freed());
            drop(state);
            self.core.wake.notify_one();
        }
    }
}

/// See [`Queue::withdraw_all`].
pub(crate) struct AllWithdrawn<'a>(&'a Core);

impl Drop for AllWithdrawn<'_> {
    fn drop(&mut self) {
        self.0.state.lock().release_all();
        self.0.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Coherence;
    use crate::SystemClock;
    use crate::counters::Counters;
    use crate::event::{Event, Observers};
    use crate::holds::Skip;
    use crate::policy::Policy;
    use flight::Flight;
    use state::Next;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::SystemTime;

    struct Nowhere;

    impl ByteStore for Nowhere {
        async fn get(&self, _: &str) -> Result<Option<Bytes>> {
            Ok(None)
        }
        async fn put(&self, _: &str, _: Bytes, _: Option<SystemTime>) -> Result<()> {
            Ok(())
        }
        async fn remove(&self, _: &str) -> Result<()> {
            Ok(())
        }
    }

    /// On threads of their own, writes may outlast the task and the handles.
    #[test]
    fn a_write_that_is_cut_off_when_nobody_is_left_is_told() {
        let (counters, mut observers) = (Counters::new(["Nowhere"].into_iter()), Observers::default());
        let told = Arc::new(AtomicUsize::new(0));
        observers.add({
            let told = Arc::clone(&told);
            Arc::new(move |event: &Event<'_>| {
                told.fetch_add(usize::from(matches!(event, Event::WriteGivenUp { .. })), Relaxed);
            })
        });
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let cx = Cx {
            clock: &clock,
            coherence: &Coherence::new(),
            tick: 0,
            address: None,
            tokens: None,
            loads: false,
            depth: 1,
            counters: &counters,
            observers: &observers,
            base: 0,
            skip: Skip::default(),
            floor: None,
            unread: None,
            keeping: &Policy::<u8, u8>::of_one_level(),
            bulk: None,
        };
        let queue = Queue::new(&Arc::new(Nowhere), Behind::default());
        let core = Arc::clone(&queue.0);
        let value = Sealed { bytes: Bytes::new(), expires_at: None, dead_at: Time::NEVER, token: None };
        assert!(
            core.enqueue("ada", value, Report::of(cx, &Arc::new(Guard::new())), None, Time::from_nanos(0))
                .is_ok()
        );
        let task = Running::begin(&core).expect("there is something to write");
        let next = core.state.lock().next(Time::from_nanos(0), 1);
        let Next::Write { key, place, write } = next else { panic!("it is due") };
        let flight = Flight::new(&core, key, place, write);

        drop(queue);
        drop(task);
        assert_eq!(told.load(Relaxed), 0);
        drop(flight);

        assert_eq!((told.load(Relaxed), counters.level(0).given_up.get()), (1, 1));
        assert_eq!(core.state.lock().pending(), 0);
    }
}
