//! A database that is fine, then slow, then down, then fine again, by the mock clock.

use larder::{Clock, Time, prelude::*};
use larder_testkit::MockClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Clone)]
pub(crate) struct Database {
    clock: MockClock,
    opened: Time,
    queries: Arc<AtomicU64>,
}

/// What the database says while it is down.
#[derive(Debug)]
pub(crate) struct Down;

impl Database {
    pub(crate) fn new(clock: MockClock) -> Self {
        Database { opened: clock.now(), clock, queries: Arc::default() }
    }

    pub(crate) fn queries(&self) -> u64 {
        self.queries.load(Relaxed)
    }

    /// Asks for the price of a product.
    pub(crate) async fn price(&self, product: u32) -> Result<u64, Down> {
        self.queries.fetch_add(1, Relaxed);
        let minute = self.clock.now().since(self.opened).as_secs() / 60;
        let latency = if (2..4).contains(&minute) { secs(2) } else { millis(20) };
        self.clock.sleep(latency).await;
        if (5..8).contains(&minute) { Err(Down) } else { Ok(u64::from(product) * 100) }
    }
}
