//! Where time comes from.

use crate::{Coherence, Time};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

/// A timer: resolves once its time has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of time. Everything in larder that depends on time asks one of these, so that a test which
/// brings its own (`larder_testkit::MockClock`) decides every deadline and wakes every timer.
///
/// # Contract
///
/// - [`now`](Clock::now) never goes back. It is asked on every hit, so it should cost a nanosecond or two; it
///   may lag behind by some milliseconds. [`now_exact`](Clock::now_exact) may cost more and does not lag.
/// - [`wall`](Clock::wall) is the time of day. It is used for deadlines that leave the process, and may step.
/// - [`sleep`](Clock::sleep) ends when `now` has moved on by the given span, not earlier. It needs no runtime, and
///   most of these timers are dropped before they end.
/// - [`on_tick`](Clock::on_tick) calls the job about once a second (a mock clock: at each move) until it is
///   dropped.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a clock",
    note = "use `SystemClock`, or `MockClock` of `larder-testkit` in tests"
)]
pub trait Clock: Send + Sync + 'static {
    /// Returns the present on this clock's monotonic line.
    fn now(&self) -> Time;

    /// Returns the present, as [`now`](Clock::now) does, without lag: for what happens less often than hits. The
    /// default is `now` itself.
    fn now_exact(&self) -> Time {
        self.now()
    }

    /// Returns the time of day.
    fn wall(&self) -> SystemTime;

    /// Returns a timer that ends `span` from now. Dropping it cancels it.
    fn sleep(&self, span: Duration) -> Sleep;

    /// Returns the group that caches with this clock belong to, unless they are told otherwise. The default is that of the
    /// process; a clock of a test has one of its own, so that tests that run side by side invalidate nothing of each
    /// other.
    fn coherence(&self) -> Coherence {
        Coherence::of_the_process()
    }

    /// Has `job` called now and then, for as long as it lives.
    fn on_tick(&self, job: Weak<dyn Tick>);
}

/// Recurring housekeeping that a [`Clock`] drives, such as the freeing of expired entries.
pub trait Tick: Send + Sync {
    /// Does what is due at `now`.
    fn tick(&self, now: Time);
}

#[deny(clippy::missing_trait_methods)]
impl<T: Clock + ?Sized> Clock for Arc<T> {
    #[inline]
    fn now(&self) -> Time {
        (**self).now()
    }
    fn now_exact(&self) -> Time {
        (**self).now_exact()
    }
    fn wall(&self) -> SystemTime {
        (**self).wall()
    }
    fn sleep(&self, span: Duration) -> Sleep {
        (**self).sleep(span)
    }
    fn coherence(&self) -> Coherence {
        (**self).coherence()
    }
    fn on_tick(&self, job: Weak<dyn Tick>) {
        (**self).on_tick(job);
    }
}
