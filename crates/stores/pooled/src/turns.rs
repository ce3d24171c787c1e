//! The writes of one key follow each other in the order in which they were called.
//!
//! A write that was dropped goes on (see `finish`). One that is called after it has another connection, and would
//! overtake it. So each write waits for those of the same key that were called before, by this process; for what
//! other processes write there is no order to keep.

use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Keys that share one of these wait for each other without need, so there are more than calls at a time.
const TURNS: usize = 512;

/// Locks of the keys, by hash. Each is held from before a write is sent until its answer is there, across awaits:
/// hence tokio's, which serves in the order of asking.
#[derive(Debug)]
pub struct Turns(Box<[Arc<Mutex<()>>]>);

/// Held by a write while it lasts.
#[derive(Debug)]
#[expect(dead_code, reason = "what counts is when it is dropped")]
pub struct Turn(Vec<OwnedMutexGuard<()>>);

impl Turns {
    /// Makes turns that nobody has.
    #[expect(clippy::new_without_default, reason = "nobody needs it by default")]
    pub fn new() -> Self {
        Turns((0..TURNS).map(|_| Arc::default()).collect())
    }

    /// Waits until nobody else writes any of `keys`.
    pub async fn take(&self, keys: impl Iterator<Item = &[u8; 16]>) -> Turn {
        let mut places: Vec<usize> = keys.map(place).collect();
        // In one order, so that no two wait for each other.
        places.sort_unstable();
        places.dedup();
        let mut turn = Vec::with_capacity(places.len());
        for place in places {
            turn.push(Arc::clone(&self.0[place]).lock_owned().await);
        }
        Turn(turn)
    }

    /// Waits until all writes have ended that were called before.
    pub async fn pass(&self) {
        for turn in &self.0 {
            drop(turn.lock().await);
        }
    }
}

fn place(key: &[u8; 16]) -> usize {
    // The key is a hash already.
    usize::from(u16::from_be_bytes([key[0], key[1]])) % TURNS
}
