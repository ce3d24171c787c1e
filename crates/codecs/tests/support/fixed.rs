//! A clock that stands still, and a store of one value.

use bytes::Bytes;
use larder_core::{ByteStore, Clock, Result, Sleep, Tick, Time};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Stands so many seconds after the moment at which the goldens were written.
#[derive(Clone, Copy)]
pub(crate) struct FixedClock(Duration);

impl FixedClock {
    pub(crate) fn after(seconds: u64) -> Self {
        FixedClock(Duration::from_secs(seconds))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Time {
        Time::from_nanos(1 << 50).after(self.0)
    }
    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_800_000_000_123) + self.0
    }
    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
    fn on_tick(&self, _: Weak<dyn Tick>) {}
}

/// Gives what was put last, under whatever key.
#[derive(Clone, Default)]
pub(crate) struct OneValue(Arc<Mutex<Option<Bytes>>>);

impl OneValue {
    pub(crate) fn of(bytes: Bytes) -> Self {
        OneValue(Arc::new(Mutex::new(Some(bytes))))
    }

    pub(crate) fn bytes(&self) -> Bytes {
        self.0.lock().unwrap().clone().unwrap()
    }
}

impl ByteStore for OneValue {
    async fn get(&self, _: &str) -> Result<Option<Bytes>> {
        Ok(self.0.lock().unwrap().clone())
    }
    async fn put(&self, _: &str, bytes: Bytes, _: Option<SystemTime>) -> Result<()> {
        *self.0.lock().unwrap() = Some(bytes);
        Ok(())
    }
    async fn remove(&self, _: &str) -> Result<()> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}
