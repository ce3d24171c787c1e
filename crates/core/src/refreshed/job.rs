//! The work of a schedule: when to load, and what came of it.
//!
//! ```text
//! rest until due ── load ── good: due one interval after it was due ─┐
//!   ▲      ▲                └─ failed: due after a pause that doubles ┤
//!   │      └── the copy is gone or outdated, or was loaded by hand: due now, or anew
//!   └─────────────────────────────────────────────────────────────────┘
//! ```

use super::options::{OnError, RefreshOptions, Start};
use crate::crowd::BoxFuture;
use crate::follower::Follower;
use crate::in_time::in_time;
use crate::life::scale;
use crate::random::Random;
use crate::spawn::catch_panic;
use crate::sync::Mutex;
use crate::{LoadError, Time};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Notify;

pub(crate) type Look = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// What a schedule does to its copy, without the types of its cache.
pub(crate) struct Work<E> {
    /// Puts into the copy what the levels have.
    pub(crate) look: Look,
    /// Has the value loaded, and the copy with it.
    pub(crate) load: Box<dyn Fn(By) -> BoxFuture<'static, Result<(), LoadError<E>>> + Send + Sync>,
}

/// Who wants a value loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The schedule, which is content with what was loaded a short while ago, also by another process.
    Schedule,
    /// A caller, who wants it new.
    Hand,
}

pub(super) struct Job<V, E> {
    pub(super) follower: Arc<Follower<V>>,
    pub(super) work: Work<E>,
    interval: Duration,
    retry_after: Duration,
    unread: Option<Duration>,
    jitter: f64,
    random: Random,
    on_error: Option<Arc<OnError<E>>>,
    /// Held to look or to note.
    state: Mutex<State<E>>,
    stops: AtomicBool,
    has_ended: AtomicBool,
    stop: Notify,
}

struct State<E> {
    due: Time,
    /// Loads that failed since the last good one.
    failures: u32,
    last_error: Option<LoadError<E>>,
    was_loaded: bool,
    last_read: Time,
}

impl<V: Clone + Send + Sync + 'static, E: Send + Sync + 'static> Job<V, E> {
    pub(super) fn new(
        follower: Arc<Follower<V>>,
        work: Work<E>,
        interval: Duration,
        options: RefreshOptions<E>,
        random: Random,
    ) -> Self {
        let now = follower.now();
        let state = State { due: now, failures: 0, last_error: None, was_loaded: false, last_read: now };
        let RefreshOptions { jitter, retry_after, unread, on_error, .. } = options;
        Job {
            follower,
            work,
            interval,
            retry_after,
            unread,
            jitter,
            random,
            on_error,
            state: Mutex::new(state),
            stops: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            stop: Notify::new(),
        }
    }

    /// Works until it is stopped.
    pub(super) async fn run(start: Start, ended: Ended<V, E>) {
        let job = &ended.0;
        job.begin(start).await;
        while !job.stops() {
            let due = job.state.lock().due;
            let rest = due.since(job.follower.now());
            let woken = in_time(&**job.follower.clock(), rest, pin!(job.follower.wake.notified())).await;
            if job.stops() {
                break;
            }
            let (is_missed, is_outdated) = (job.follower.take_missed(), job.follower.take_outdated());
            if woken.is_some() && !is_missed && !is_outdated {
                // Somebody else has loaded it, or when it is due has moved.
                continue;
            }
            if woken.is_none() && job.is_unread() {
                job.follower.sleep(|| job.stops()).await;
            }
            job.unless_stopped(job.load(By::Schedule)).await;
        }
    }

    async fn begin(&self, start: Start) {
        if start != Start::Now {
            self.unless_stopped((self.work.look)()).await;
        }
        let is_due = start == Start::Now || start == Start::IfAbsent && self.follower.is_empty();
        let due = if is_due { self.follower.now() } else { self.after(self.follower.now()) };
        self.state.lock().due = due;
        if is_due {
            self.unless_stopped(self.load(By::Schedule)).await;
        }
    }

    /// Loads, and notes what came of it and when the next load is due.
    pub(super) async fn load(&self, by: By) -> Result<(), LoadError<E>> {
        let (began, due) = (self.follower.now(), self.state.lock().due);
        // A panic of the loader itself is caught by the cache; this one is of what makes its future.
        let loaded = catch_panic(pin!((self.work.load)(by))).await;
        let loaded = loaded.unwrap_or_else(|message| Err(LoadError::Panicked(message)));
        let now = self.follower.now();
        {
            let mut state = self.state.lock();
            match &loaded {
                Ok(()) => {
                    // From when it was due, so that what a load takes is not added up; unless it came before that, or is late
                    // by more.
                    let is_on_time = due <= began && due.after(self.interval) > now && state.failures == 0;
                    state.due = match by {
                        // Another one has ended meanwhile, by hand.
                        By::Schedule if state.due != due => state.due,
                        By::Schedule if is_on_time => self.after(due),
                        By::Schedule | By::Hand => self.after(now),
                    };
                    (state.failures, state.last_error, state.was_loaded) = (0, None, true);
                }
                Err(error) => {
                    state.due = now.after(self.pause(state.failures));
                    state.failures = state.failures.saturating_add(1);
                    state.last_error = Some(error.clone());
                }
            }
        }
        if let (Err(error), Some(on_error)) = (&loaded, &self.on_error) {
            // The panic hook has told of it.
            let _ = catch_unwind(AssertUnwindSafe(|| on_error(error)));
        }
        self.follower.changed.notify_waiters();
        if by == By::Hand {
            // It rests until a time that has moved.
            self.follower.wake.notify_one();
        }
        loaded
    }

    /// One interval later, give or take.
    fn after(&self, time: Time) -> Time {
        let part = 1.0 + self.jitter * self.random.signed_unit();
        time.after(scale(self.interval, part))
    }

    /// How long to wait after a failure that followed so many others.
    fn pause(&self, failures: u32) -> Duration {
        self.retry_after.saturating_mul(1 << failures.min(30)).min(self.interval)
    }

    /// Whether it has not been read for so long that it is not to be loaded.
    fn is_unread(&self) -> bool {
        let Some(span) = self.unread else { return false };
        let (now, mut state) = (self.follower.now(), self.state.lock());
        if self.follower.take_read() {
            state.last_read = now;
        }
        state.last_read.after(span) <= now
    }

    pub(super) fn last_error(&self) -> Option<LoadError<E>> {
        self.state.lock().last_error.clone()
    }

    /// Whether there was a load that did not fail.
    pub(super) fn was_loaded(&self) -> bool {
        self.state.lock().was_loaded
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(SeqCst)
    }

    fn stops(&self) -> bool {
        self.stops.load(SeqCst)
    }

    /// Waits for `work`, unless the schedule is to end.
    async fn unless_stopped(&self, work: impl Future) {
        let (mut work, mut stop) = (pin!(work), pin!(self.stop.notified()));
        poll_fn(|cx| {
            let is_done = work.as_mut().poll(cx).is_ready() || stop.as_mut().poll(cx).is_ready();
            if is_done { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl<V, E> Job<V, E> {
    /// Has it end: at once, wherever it is.
    pub(super) fn end(&self) {
        self.stops.store(true, SeqCst);
        self.stop.notify_one();
        self.follower.wake.notify_one();
    }
}

/// Tells that the schedule has ended, however it does.
pub(super) struct Ended<V, E>(pub(super) Arc<Job<V, E>>);

impl<V, E> Drop for Ended<V, E> {
    fn drop(&mut self) {
        self.0.has_ended.store(true, SeqCst);
        self.0.follower.changed.notify_waiters();
    }
}
