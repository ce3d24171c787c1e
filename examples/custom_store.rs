//! A store of one's own: what it takes, and the one call that tests it.
//!
//! `cargo run --example custom_store`, and `cargo test --example custom_store`.

use bytes::Bytes;
use larder::prelude::*;
use larder::{ByteStore, Capabilities, Cleared, Result, Usage};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Bytes in a sorted map. A real one would hold a client of some server.
#[derive(Debug, Default)]
struct Shelf(Mutex<BTreeMap<String, Bytes>>);

impl Shelf {
    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        // Whoever panicked did so before or after a change, never in the middle of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ByteStore for Shelf {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        Ok(self.map().get(key).cloned())
    }

    async fn put(&self, key: &str, bytes: Bytes, _expires_at: Option<SystemTime>) -> Result<()> {
        self.map().insert(key.to_owned(), bytes);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.map().remove(key);
        Ok(())
    }

    // From here on it is optional.

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.map().retain(|key, _| !key.starts_with(prefix));
        Ok(Cleared::Done)
    }

    fn usage(&self) -> Option<Usage> {
        let map = self.map();
        Some(Usage::new(map.len() as u64, map.values().map(|bytes| bytes.len() as u64).sum()))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear()
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let ages = Cache::new(Memory::new(100)).chain(Cache::new(Shelf::default()).codec(Json).namespace("ages"));

    let ada: u32 = ages.get_or_load("ada", async || "36".parse()).await?;
    println!("ada is {ada}\n{ages:?}\n{}", ages.stats());
    Ok(())
}

#[cfg(test)]
mod conformance {
    larder_testkit::conformance!(bytes, || async { super::Shelf::default() });
}
