//! Many keys that a schedule keeps fresh: [`refresh_keys`](crate::Loading::refresh_keys).

mod options;

pub use options::RefreshKeysOptions;

use crate::crowd::BoxFuture;
use crate::in_time::in_time;
use crate::life::scale;
use crate::random::Random;
use crate::refreshed::Start;
use crate::spawn::{catch_panic, runtime};
use crate::sync::Mutex;
use crate::{Clock, Time, WarmReport};
use options::OnError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Notify;

/// Keys that a schedule keeps fresh: what [`Loading::refresh_keys`](crate::Loading::refresh_keys) makes. They are read
/// through the cache, as ever.
///
/// It owns its schedule: when it is dropped, or [shut down](Self::shutdown), no load begins any more.
#[must_use = "the schedule ends when this is dropped"]
pub struct RefreshedKeys<K, E> {
    job: Arc<Job<K, E>>,
}

/// Loads the keys once.
pub(crate) type Pass<K, E> = Box<dyn Fn(Which) -> BoxFuture<'static, WarmReport<K, E>> + Send + Sync>;

/// Which of the keys are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// What no level has fresh.
    Absent,
    /// And what was not loaded a short while ago.
    Old,
    All,
}

struct Job<K, E> {
    pass: Pass<K, E>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    jitter: f64,
    random: Random,
    on_error: Option<Arc<OnError<K, E>>>,
    /// Held to look or to note.
    state: Mutex<State<K, E>>,
    stops: AtomicBool,
    /// It is to stop, or when the next pass is due has moved.
    wake: Notify,
    changed: Notify,
}

struct State<K, E> {
    due: Time,
    last: Option<Arc<WarmReport<K, E>>>,
    has_ended: bool,
}

impl<K, E> RefreshedKeys<K, E>
where
    K: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    #[track_caller]
    pub(crate) fn begin(
        clock: &Arc<dyn Clock>,
        interval: Duration,
        options: RefreshKeysOptions<K, E>,
        pass: Pass<K, E>,
    ) -> Self {
        assert!(!interval.is_zero(), "a schedule needs an interval above zero");
        let runtime = runtime().expect("a schedule is a task: begin it inside of a tokio runtime");
        let RefreshKeysOptions { start, jitter, on_error, .. } = options;
        let now = clock.now_exact();
        let job = Arc::new(Job {
            pass,
            clock: Arc::clone(clock),
            interval,
            jitter,
            random: Random::unpredictable(),
            on_error,
            state: Mutex::new(State { due: now, last: None, has_ended: false }),
            stops: AtomicBool::new(false),
            wake: Notify::new(),
            changed: Notify::new(),
        });
        runtime.spawn(Job::run(start, Ended(Arc::clone(&job))));
        RefreshedKeys { job }
    }

    /// Returns what became of each key the last time, in the order of the keys; `None` before the first time.
    pub fn last(&self) -> Option<Arc<WarmReport<K, E>>> {
        self.job.state.lock().last.clone()
    }

    /// Waits for the first time that all keys have been seen to, and returns what became of them. `None` if the schedule has
    /// ended before.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ready(&self) -> Option<Arc<WarmReport<K, E>>> {
        self.job.until(|state| state.last.is_some()).await;
        self.last()
    }

    /// Loads all keys now, whatever the levels have, and returns what became of them. The next time is one interval later.
    ///
    /// # Panics
    ///
    /// If the closure that says the keys panics.
    ///
    /// # Cancel safety
    ///
    /// Loads that have begun go on, and no other begins.
    pub async fn refresh(&self) -> Arc<WarmReport<K, E>> {
        let report = self.job.note((self.job.pass)(Which::All).await);
        self.job.state.lock().due = self.job.after(self.job.clock.now_exact());
        self.job.wake.notify_one();
        report
    }

    /// Ends the schedule, and waits until it has ended. Loads that are under way go on by themselves.
    ///
    /// # Cancel safety
    ///
    /// It ends all the same.
    pub async fn shutdown(self) {
        self.job.end();
        self.job.until(|_| false).await;
    }
}

impl<K, E> Job<K, E>
where
    K: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    async fn run(start: Start, ended: Ended<K, E>) {
        let this = &ended.0;
        let mut which = match start {
            Start::Now => Which::All,
            Start::IfAbsent => Which::Absent,
            Start::Later => {
                this.state.lock().due = this.after(this.clock.now_exact());
                Which::Old
            }
        };
        loop {
            let due = this.state.lock().due;
            let rest = due.since(this.clock.now_exact());
            let woken = if rest.is_zero() {
                None
            } else {
                in_time(&*this.clock, rest, pin!(this.wake.notified())).await
            };
            if this.stops.load(SeqCst) {
                return;
            }
            if woken.is_some() {
                continue;
            }
            let which = std::mem::replace(&mut which, Which::Old);
            // A panic of a loader is caught by the cache; this one is of the closure that says the keys.
            let pass = pin!(async { (this.pass)(which).await });
            let pass = pin!(catch_panic(pass));
            let Some(passed) = this.unless_stopped(pass).await else { return };
            if let Ok(report) = passed {
                this.note(report);
            }
            let (now, mut state) = (this.clock.now_exact(), this.state.lock());
            // Else all were loaded by hand meanwhile.
            if state.due == due {
                // From when it was due, so that what a pass takes is not added up; unless it is late by more.
                let is_late = due.after(this.interval) <= now;
                state.due = this.after(if is_late { now } else { due });
            }
        }
    }

    fn note(&self, report: WarmReport<K, E>) -> Arc<WarmReport<K, E>> {
        let report = Arc::new(report);
        self.state.lock().last = Some(Arc::clone(&report));
        self.changed.notify_waiters();
        if let Some(on_error) = &self.on_error {
            for (key, error) in report.failures() {
                // The panic hook has told of it.
                let _ = catch_unwind(AssertUnwindSafe(|| on_error(key, error)));
            }
        }
        report
    }

    /// One interval later, give or take.
    fn after(&self, time: Time) -> Time {
        let part = 1.0 + self.jitter * self.random.signed_unit();
        time.after(scale(self.interval, part))
    }

    /// Waits for `work`; `None` if the schedule is to end.
    async fn unless_stopped<T>(&self, mut work: Pin<&mut (impl Future<Output = T> + Send)>) -> Option<T> {
        loop {
            let mut wake = pin!(self.wake.notified());
            let done = poll_fn(|cx| match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => wake.as_mut().poll(cx).map(|()| None),
            });
            match done.await {
                None if !self.stops.load(SeqCst) => {}
                done => return done,
            }
        }
    }

    /// Waits until it is so, or the schedule has ended.
    async fn until(&self, is_so: impl Fn(&State<K, E>) -> bool + Send + Sync) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let state = self.state.lock();
                if state.has_ended || is_so(&state) {
                    return;
                }
            }
            changed.await;
        }
    }
}

impl<K, E> Job<K, E> {
    fn end(&self) {
        self.stops.store(true, SeqCst);
        self.wake.notify_one();
    }
}

impl<K, E> Drop for RefreshedKeys<K, E> {
    fn drop(&mut self) {
        self.job.end();
    }
}

impl<K, E> fmt::Debug for RefreshedKeys<K, E> {
    /// Prints no keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshedKeys").field("interval", &self.job.interval).finish_non_exhaustive()
    }
}

/// Tells that the schedule has ended, however it does.
struct Ended<K, E>(Arc<Job<K, E>>);

impl<K, E> Drop for Ended<K, E> {
    fn drop(&mut self) {
        self.0.state.lock().has_ended = true;
        self.0.changed.notify_waiters();
    }
}
