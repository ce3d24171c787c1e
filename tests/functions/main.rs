//! Functions whose results are kept: `#[cached]`.
#![allow(clippy::unused_async, reason = "what is async in these tests is the function, not its body")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod errors;
mod given;
mod invalidates;
mod keys;
mod methods;
mod options;
mod scheduled;
mod synchronous;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Counts how often something runs.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    const fn new() -> Self {
        Count(AtomicU64::new(0))
    }

    /// Counts one more, and returns how many there were before.
    fn one(&self) -> u64 {
        self.0.fetch_add(1, SeqCst)
    }

    fn get(&self) -> u64 {
        self.0.load(SeqCst)
    }
}
