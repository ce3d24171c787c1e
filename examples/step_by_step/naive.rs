//! The cache that everybody writes first: look, load, insert. Its ttl counts from when the load ended, as everybody
//! writes it, so it reloads at other ticks than the caches of larder, and misses part of the outage by luck.

use larder::{Clock, Time};
use larder_testkit::MockClock;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone)]
pub(crate) struct Naive {
    clock: MockClock,
    ttl: Duration,
    held: Arc<Mutex<HashMap<u32, (u64, Time)>>>,
}

impl Naive {
    pub(crate) fn new(clock: MockClock, ttl: Duration) -> Self {
        Naive { clock, ttl, held: Arc::default() }
    }

    pub(crate) async fn get_or_load<E, Fut>(&self, key: u32, load: impl FnOnce() -> Fut) -> Result<u64, E>
    where
        Fut: Future<Output = Result<u64, E>>,
    {
        if let Some((value, until)) = self.map(|held| held.get(&key).copied())
            && self.clock.now() < until
        {
            return Ok(value);
        }
        let value = load().await?;
        let until = self.clock.now().after(self.ttl);
        self.map(|held| held.insert(key, (value, until)));
        Ok(value)
    }

    fn map<T>(&self, work: impl FnOnce(&mut HashMap<u32, (u64, Time)>) -> T) -> T {
        work(&mut self.held.lock().expect("nobody panics with the lock"))
    }
}
