//! Where time comes from: the operating system's clocks, or one that a test moves by hand.

use crate::Time;
use parking_lot::{Condvar, Mutex};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, SystemTime};

/// A timer: resolves once its time has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of time. Everything in larder that depends on time asks one of these, so that a test which
/// brings its own (`larder_testkit::MockClock`) decides every deadline and wakes every timer.
///
/// # Contract
///
/// - [`now`](Clock::now) never goes back. It is asked on every hit, so it should cost a few nanoseconds; it
///   may lag behind by some milliseconds.
/// - [`wall`](Clock::wall) is the time of day. It is used for deadlines that leave the process, and may step.
/// - [`sleep`](Clock::sleep) ends when `now` has moved on by the given span, not earlier.
/// - [`on_tick`](Clock::on_tick) calls the job about once a second (a mock clock: at each move) until it is
///   dropped.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a clock",
    note = "use `SystemClock`, or `MockClock` of `larder-testkit` in tests"
)]
pub trait Clock: Send + Sync + 'static {
    /// Returns the present on this clock's monotonic line.
    fn now(&self) -> Time;

    /// Returns the time of day.
    fn wall(&self) -> SystemTime;

    /// Returns a timer that ends `span` from now. Dropping it cancels it.
    fn sleep(&self, span: Duration) -> Sleep;

    /// Has `job` called now and then, for as long as it lives.
    fn on_tick(&self, job: Weak<dyn Tick>);
}

/// Recurring housekeeping that a [`Clock`] drives, such as the freeing of expired entries.
pub trait Tick: Send + Sync {
    /// Does what is due at `now`.
    fn tick(&self, now: Time);
}

impl<T: Clock> Clock for Arc<T> {
    #[inline]
    fn now(&self) -> Time {
        (**self).now()
    }
    fn wall(&self) -> SystemTime {
        (**self).wall()
    }
    fn sleep(&self, span: Duration) -> Sleep {
        (**self).sleep(span)
    }
    fn on_tick(&self, job: Weak<dyn Tick>) {
        (**self).on_tick(job);
    }
}

/// The operating system's clocks; what a cache uses unless told otherwise.
///
/// `now` reads the coarse monotonic clock: it lags behind by at most one tick of the kernel (1 to 4 ms on
/// Linux) and costs 2 to 3 ns, where the exact one costs 20. Housekeeping runs on one thread of its own,
/// which starts with the first cache that has something to expire and sleeps while there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The origin of [`SystemClock`]'s line is the first look at the clock, less 400 days: an entry that comes from
/// a shared level may be older than the process.
static ORIGIN: LazyLock<coarsetime::Instant> = LazyLock::new(coarsetime::Instant::now_without_cache_update);
const BEFORE_ORIGIN: u64 = 400 * 24 * 3600 * 1_000_000_000;

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Time {
        let since = coarsetime::Instant::now_without_cache_update().duration_since(*ORIGIN);
        Time::from_nanos(BEFORE_ORIGIN + since.as_nanos())
    }

    #[expect(clippy::disallowed_methods, reason = "the clock is where the time of day comes from")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "the clock is where timers come from")]
    fn sleep(&self, span: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(span))
    }

    fn on_tick(&self, job: Weak<dyn Tick>) {
        let mut jobs = HOUSEKEEPING.jobs.lock();
        if jobs.is_empty() {
            HOUSEKEEPING.wake.notify_one();
        }
        jobs.push(job);
    }
}

/// The jobs of all caches on the system clock, and the thread that calls them.
struct Housekeeping {
    /// Held only to add a job or to copy the list; never while a job runs.
    jobs: Mutex<Vec<Weak<dyn Tick>>>,
    /// Wakes the thread when the list stops being empty.
    wake: Condvar,
}

static HOUSEKEEPING: LazyLock<Housekeeping> = LazyLock::new(|| {
    // Without the thread, expired entries are still never served and are evicted like others.
    let _ = std::thread::Builder::new().name("larder-clock".into()).spawn(housekeep);
    Housekeeping { jobs: Mutex::new(Vec::new()), wake: Condvar::new() }
});

fn housekeep() {
    let shared = &*HOUSEKEEPING;
    loop {
        let mut jobs = shared.jobs.lock();
        while jobs.is_empty() {
            shared.wake.wait(&mut jobs);
        }
        shared.wake.wait_for(&mut jobs, Duration::from_secs(1));
        jobs.retain(|job| job.strong_count() > 0);
        let due = jobs.clone();
        drop(jobs);
        for job in due.iter().filter_map(Weak::upgrade) {
            // A panic in a user's destructor must not end the housekeeping of all other caches.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.tick(SystemClock.now())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_does_not_go_back() {
        let mut last = SystemClock.now();
        for _ in 0..10_000 {
            let now = SystemClock.now();
            assert!(now >= last);
            last = now;
        }
    }
}
