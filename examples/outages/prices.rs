//! The database: prices that change, each with the number of its change.

use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Price {
    pub(crate) product: u32,
    /// How often it has changed.
    pub(crate) change: u64,
    /// So that it is as long as a small row.
    pub(crate) text: String,
}

pub(crate) struct Prices {
    changes: Vec<AtomicU64>,
    /// The changes whose older prices were taken from the cache: no caller may get one of those any more.
    published: Vec<AtomicU64>,
    loads: AtomicU64,
}

impl Prices {
    pub(crate) fn new(products: usize) -> Self {
        let zeroes = || (0..products).map(|_| AtomicU64::new(0)).collect();
        Prices { changes: zeroes(), published: zeroes(), loads: AtomicU64::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Reads a price.
    #[expect(clippy::unused_async, reason = "a database is asked so; this one has nothing to wait for")]
    pub(crate) async fn load(&self, product: u32) -> Result<Price, Infallible> {
        self.loads.fetch_add(1, SeqCst);
        let change = self.changes[product as usize].load(SeqCst);
        Ok(Price { product, change, text: format!("{product}, changed {change} times. ").repeat(4) })
    }

    /// Changes a price. Returns the number of the change.
    pub(crate) fn change(&self, product: u32) -> u64 {
        self.changes[product as usize].fetch_add(1, SeqCst) + 1
    }

    /// Notes that the cache has said to have removed what was older than this change.
    pub(crate) fn publish(&self, product: u32, change: u64) {
        self.published[product as usize].fetch_max(change, SeqCst);
    }

    /// What a caller that asks now must get at least.
    pub(crate) fn published(&self, product: u32) -> u64 {
        self.published[product as usize].load(SeqCst)
    }

    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(SeqCst)
    }
}
