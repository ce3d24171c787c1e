//! A clock that stands still until a test moves it.

use larder_core::{Clock, Coherence, Sleep, Tick, Time};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that stands still until a test moves it. Clones are the same clock.
///
/// Time moves from timer to timer: each timer that falls due is woken with the clock showing its own moment,
/// the earliest first, and in the order of their making where they fall due together. The wall clock runs along,
/// and can be set apart with [`set_wall`](MockClock::set_wall).
///
/// # Examples
///
/// ```
/// use larder_core::Clock;
/// use larder_testkit::MockClock;
/// use std::time::Duration;
///
/// let clock = MockClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now().since(start), Duration::from_secs(90));
/// ```
#[derive(Clone, Default)]
pub struct MockClock(Arc<Mutex<State>>);

struct State {
    now: Time,
    /// The wall clock less the monotonic one.
    wall_at_origin: SystemTime,
    /// By due time, then by the order of making.
    timers: BTreeMap<(Time, u64), Waker>,
    next_timer: u64,
    jobs: Vec<Weak<dyn Tick>>,
    coherence: Coherence,
}

impl Default for State {
    fn default() -> Self {
        // Far from the origin, so that entries can be older than the test.
        let years = Duration::from_secs(10 * 365 * 24 * 3600);
        State {
            now: Time::from_nanos(0).after(years),
            // Ahead of every real clock: a store that expires by its own must not take a test's entries for dead.
            wall_at_origin: UNIX_EPOCH + Duration::from_secs(4_102_444_800) - years,
            timers: BTreeMap::new(),
            next_timer: 0,
            jobs: Vec::new(),
            coherence: Coherence::new(),
        }
    }
}

impl MockClock {
    /// Makes a clock that stands at the beginning of the year 2100.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves time on by `span`, waking timers in order and calling the housekeeping of caches.
    ///
    /// Tasks that are woken run when the test next awaits. Where they set further timers that belong into the
    /// same span, use [`run`](Self::run).
    pub fn advance(&self, span: Duration) {
        let target = self.now().after(span);
        while self.step(target) {}
    }

    /// Moves time on by `span`, as [`advance`](Self::advance), and lets all tasks come to rest at each moment at which
    /// timers end, and at the end, so that timers which they set are woken at their own moment too.
    ///
    /// Needs a current-thread runtime (the default of `#[tokio::test]`) for an order that repeats.
    pub async fn run(&self, span: Duration) {
        let target = self.now().after(span);
        settle().await;
        while self.step(target) {
            // Those that end at the same moment, together.
            while self.is_another_due() {
                self.step(target);
            }
            settle().await;
        }
        settle().await;
    }

    /// Steps the wall clock, and leaves the monotonic one alone, as NTP or an operator would.
    pub fn set_wall(&self, wall: SystemTime) {
        let mut state = self.0.lock();
        state.wall_at_origin = wall - Duration::from_nanos(state.now.as_nanos());
    }

    /// Returns how many timers are waiting.
    pub fn timers(&self) -> usize {
        self.0.lock().timers.len()
    }

    fn is_another_due(&self) -> bool {
        let state = self.0.lock();
        state.timers.first_key_value().is_some_and(|((due, _), _)| *due <= state.now)
    }

    /// Goes to the next timer that is due by `target` and wakes it, or else to `target`. Returns whether there
    /// may be more.
    fn step(&self, target: Time) -> bool {
        let mut state = self.0.lock();
        let due = state.timers.first_key_value().map(|(due, _)| *due).filter(|due| due.0 <= target);
        let woken = due.and_then(|due| state.timers.remove(&due));
        // A loader or a listener may itself have moved the clock on, further than this.
        state.now = due.map_or(target, |due| due.0).max(state.now);
        let now = state.now;
        state.jobs.retain(|job| job.strong_count() > 0);
        let jobs = state.jobs.clone();
        // Wakers and housekeeping may call back into the clock.
        drop(state);
        if let Some(waker) = woken {
            waker.wake();
        }
        jobs.iter().filter_map(Weak::upgrade).for_each(|job| job.tick(now));
        due.is_some()
    }
}

impl std::fmt::Debug for MockClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockClock").field("now", &self.now()).field("timers", &self.timers()).finish()
    }
}

impl Clock for MockClock {
    fn now(&self) -> Time {
        self.0.lock().now
    }

    fn wall(&self) -> SystemTime {
        let state = self.0.lock();
        state.wall_at_origin + Duration::from_nanos(state.now.as_nanos())
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let mut state = self.0.lock();
        let number = state.next_timer;
        state.next_timer += 1;
        Box::pin(Timer { clock: self.clone(), due: (state.now.after(span), number) })
    }

    fn coherence(&self) -> Coherence {
        self.0.lock().coherence.clone()
    }

    fn on_tick(&self, job: Weak<dyn Tick>) {
        self.0.lock().jobs.push(job);
    }
}

struct Timer {
    clock: MockClock,
    due: (Time, u64),
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.clock.0.lock();
        if state.now >= self.due.0 {
            return Poll::Ready(());
        }
        let before = state.timers.insert(self.due, waker);
        // A waker is dropped after the lock: it may be the last of a task, which has timers of its own.
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let waker = self.clock.0.lock().timers.remove(&self.due);
        drop(waker);
    }
}

/// Lets the tasks of a current-thread runtime run until they wait for something.
///
/// Bounded: it yields a thousand times, and tokio polls up to 61 tasks in between, which is some 60,000 polls. Work on
/// other threads is not waited for; that of `tokio::task::spawn_blocking` is such, and with it files.
pub async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn timers_wake_in_the_order_of_their_moments_with_the_clock_showing_them() {
        let clock = MockClock::new();
        let start = clock.now();
        let log = Arc::new(Mutex::new(Vec::new()));
        for (name, seconds) in [("third", 3), ("first", 1), ("second", 2), ("second too", 2)] {
            let (clock, log) = (clock.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                clock.sleep(seconds * SECOND).await;
                log.lock().push((name, clock.now().since(start).as_secs()));
            });
        }

        clock.run(10 * SECOND).await;

        assert_eq!(*log.lock(), [("first", 1), ("second", 2), ("second too", 2), ("third", 3)]);
        assert_eq!(clock.now().since(start), 10 * SECOND);
    }

    #[tokio::test]
    async fn a_timer_set_by_a_woken_task_is_woken_within_the_same_run() {
        let clock = MockClock::new();
        let ticks = Arc::new(Mutex::new(0));
        let task = tokio::spawn({
            let (clock, ticks) = (clock.clone(), Arc::clone(&ticks));
            async move {
                loop {
                    clock.sleep(SECOND).await;
                    *ticks.lock() += 1;
                }
            }
        });

        clock.run(100 * SECOND).await;

        assert_eq!(*ticks.lock(), 100);
        task.abort();
    }

    #[tokio::test]
    async fn a_dropped_timer_is_forgotten() {
        let clock = MockClock::new();
        let mut timer = clock.sleep(SECOND);
        assert!(std::future::poll_fn(|cx| Poll::Ready(timer.as_mut().poll(cx).is_pending())).await);
        assert_eq!(clock.timers(), 1);
        drop(timer);
        assert_eq!(clock.timers(), 0);
    }

    #[tokio::test]
    async fn a_task_that_moves_the_clock_on_itself_is_not_taken_back() {
        let clock = MockClock::new();
        let start = clock.now();
        tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(SECOND).await;
                clock.advance(100 * SECOND);
            }
        });
        clock.run(10 * SECOND).await;
        assert_eq!(clock.now().since(start), 101 * SECOND);
    }

    #[test]
    fn the_wall_clock_steps_alone() {
        let clock = MockClock::new();
        let now = clock.now();
        clock.set_wall(UNIX_EPOCH);
        clock.advance(SECOND);
        assert_eq!(clock.wall(), UNIX_EPOCH + SECOND);
        assert_eq!(clock.now().since(now), SECOND);
    }
}
