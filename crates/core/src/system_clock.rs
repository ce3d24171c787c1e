//! The operating system's clocks, read once for many.
//!
//! Reading the monotonic clock takes 20 ns, as much as the rest of a hit. So a thread of ours reads it every two
//! milliseconds into an atomic, and `now` is one load. The thread parks when nobody has read that for a while; who
//! then reads first finds zero, reads the clock itself, and wakes the thread.

use crate::timers::Timer;
use crate::{Clock, Sleep, Tick, Time};
use parking_lot::{Condvar, Mutex};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Weak};
use std::thread::{Builder, Thread};
use std::time::{Duration, Instant, SystemTime};

/// The operating system's clocks; what a cache uses unless told otherwise.
///
/// [`now`](Clock::now) costs less than a nanosecond and lags behind by some two milliseconds, or by as long as the
/// machine keeps a thread that wants to run from doing so. Whatever loads, inserts or misses reads the exact clock,
/// and with it corrects a `now` that lags too far. Three threads do the work, whatever the number of caches: one that
/// reads the clock while somebody reads its result; one for housekeeping, which starts with the first entry that
/// can expire and wakes once a second; and one for timers, which starts with the first that is waited for. In a child
/// that `fork` made without `exec` they are missing: time stands still there for hits, and timers do not end.
///
/// [`sleep`](Clock::sleep) needs no runtime, and measures by the exact clock, which `now` follows.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

const STEP: Duration = Duration::from_millis(2);
/// Steps without a reader after which the thread parks.
const QUIET_STEPS: u32 = 50;

/// The origin of the line is the first look at the clock, less 400 days: an entry that comes from a shared level may
/// be older than the process.
static ORIGIN: LazyLock<Instant> = LazyLock::new(exact_instant);
const BEFORE_ORIGIN: u64 = 400 * 24 * 3600 * 1_000_000_000;

/// The time of the last step in nanoseconds, always even, and [`PARKED`] while the thread is. Never goes back: it is
/// changed from what was seen only, so that a reader which was held up for long cannot bring back its old time.
static STEPPED: AtomicU64 = AtomicU64::new(PARKED);
const PARKED: u64 = 1;
/// Whether somebody has read `STEPPED` since the last step. Written by readers only where it is false, so that it
/// stays in their caches.
static WAS_READ: AtomicBool = AtomicBool::new(false);
/// The thread that steps. Without it (no thread could be had) every reader reads the clock itself.
static STEPPER: LazyLock<Option<Thread>> = LazyLock::new(|| {
    let thread = Builder::new().name("larder-clock".into()).spawn(step_for_ever);
    thread.ok().map(|handle| handle.thread().clone())
});

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Time {
        let nanos = STEPPED.load(Relaxed);
        if nanos & PARKED != 0 {
            return wake(nanos);
        }
        if !WAS_READ.load(Relaxed) {
            WAS_READ.store(true, Relaxed);
        }
        Time::from_nanos(nanos)
    }

    fn now_exact(&self) -> Time {
        let now = exact();
        let stepped = STEPPED.load(Relaxed);
        if stepped & PARKED == 0 && Duration::from_nanos(now.saturating_sub(stepped)) > 2 * STEP {
            // The thread is late.
            let _ = STEPPED.compare_exchange(stepped, now, Relaxed, Relaxed);
        }
        Time::from_nanos(now)
    }

    #[expect(clippy::disallowed_methods, reason = "the clock is where the time of day comes from")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, span: Duration) -> Sleep {
        Box::pin(Timer::new(span))
    }

    fn on_tick(&self, job: Weak<dyn Tick>) {
        let mut jobs = HOUSEKEEPING.jobs.lock();
        if jobs.is_empty() {
            HOUSEKEEPING.wake.notify_one();
        }
        jobs.push(job);
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock is where time comes from")]
pub(crate) fn exact_instant() -> Instant {
    Instant::now()
}

fn exact() -> u64 {
    let origin = *ORIGIN;
    let since = u64::try_from(exact_instant().duration_since(origin).as_nanos()).unwrap_or(u64::MAX);
    since.saturating_add(BEFORE_ORIGIN) & !PARKED
}

/// Reads the clock for a reader that found the thread parked, and wakes that.
#[cold]
fn wake(seen: u64) -> Time {
    let now = exact();
    if let Some(stepper) = &*STEPPER {
        let _ = STEPPED.compare_exchange(seen, now, Relaxed, Relaxed);
        stepper.unpark();
    }
    Time::from_nanos(now)
}

fn step_for_ever() {
    let mut quiet = 0;
    loop {
        std::thread::park_timeout(STEP);
        quiet = if WAS_READ.swap(false, Relaxed) { 0 } else { quiet + 1 };
        if quiet < QUIET_STEPS {
            let (seen, now) = (STEPPED.load(Relaxed), exact());
            if now > seen {
                // Where this fails, a reader has read the clock after us and written first.
                let _ = STEPPED.compare_exchange(seen, now, Relaxed, Relaxed);
            }
        } else {
            STEPPED.fetch_or(PARKED, Relaxed);
            std::thread::park();
            quiet = 0;
        }
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
    let _ = Builder::new().name("larder-housekeeping".into()).spawn(housekeep);
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
        due.iter().filter_map(Weak::upgrade).for_each(call);
    }
}

/// Calls one job. A panic, of the user's destructors say, must not end the housekeeping of all other caches. The
/// cache itself may be dropped here, if this was the last reference to it.
fn call(job: Arc<dyn Tick>) {
    let _ = catch_unwind(AssertUnwindSafe(move || {
        job.tick(SystemClock.now_exact());
        drop(job);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_does_not_go_back_and_goes_on() {
        let start = SystemClock.now();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(move || {
                    let mut last = start;
                    while last.since(start) < Duration::from_millis(20) {
                        let now = SystemClock.now();
                        assert!(now >= last);
                        last = now;
                    }
                });
            }
        });
    }

    #[test]
    fn the_exact_clock_is_never_behind() {
        for _ in 0..10_000 {
            let now = SystemClock.now();
            assert!(SystemClock.now_exact() >= now);
        }
    }

    #[test]
    fn a_parked_clock_wakes_with_the_right_time() {
        let before = SystemClock.now_exact();
        // As the thread does when nobody reads.
        STEPPED.fetch_or(PARKED, Relaxed);
        assert!(SystemClock.now() >= before);
        assert!(STEPPED.load(Relaxed) >= before.as_nanos());
    }

    #[test]
    fn neither_a_job_that_panics_nor_one_whose_destructor_does_ends_the_housekeeping() {
        struct Panics(bool);
        impl Tick for Panics {
            fn tick(&self, _: Time) {
                assert!(self.0, "a job that panics");
            }
        }
        impl Drop for Panics {
            fn drop(&mut self) {
                assert!(!self.0, "a destructor that panics");
            }
        }
        call(Arc::new(Panics(false)));
        call(Arc::new(Panics(true)));
    }
}
