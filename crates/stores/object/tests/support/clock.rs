// A clock that a test moves by hand.

use larder_core::{Clock, Sleep, Tick, Time};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Stands in the year 2027 until it is moved. Clones are the same clock.
#[derive(Clone, Default)]
pub(crate) struct HandClock(Arc<AtomicU64>);

impl HandClock {
    #[allow(dead_code, reason = "not every test moves it")]
    pub(crate) fn advance(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    fn moved(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time::from_nanos(1 << 60).after(self.moved())
    }
    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.moved()
    }
    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
    fn on_tick(&self, _: Weak<dyn Tick>) {}
}
