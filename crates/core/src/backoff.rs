//! Keys whose loads failed while something old could be served instead: when to try again.
//!
//! Each failure in a row doubles the delay, up to a cap; a load that succeeds ends the row. The table is bounded: when
//! a part of it is full it is emptied, and the keys in it are tried again sooner than they would be.

use crate::{Lookup, Time};
use parking_lot::Mutex;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// See the module.
pub(crate) struct Backoff<K: ?Sized + Lookup> {
    /// Each lock protects a part of the table, for a look-up or an insertion.
    shards: Box<[Mutex<HashMap<K::Owned, Failures, foldhash::fast::RandomState>>]>,
    hasher: foldhash::fast::RandomState,
    /// Keys in the table: none of them, nearly always, and then nothing is locked.
    keys: AtomicUsize,
}

#[derive(Clone, Copy)]
struct Failures {
    in_a_row: u32,
    retry_at: Time,
}

/// How long to wait after failures in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delay {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
}

impl Delay {
    /// The delay after that many failures in a row, at least one.
    pub(crate) fn after(self, in_a_row: u32) -> Duration {
        let doubled = 2_u32.checked_pow(in_a_row.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.most)
    }
}

const SHARDS: usize = 16;
const KEYS_A_SHARD: usize = 1_024;

impl<K: ?Sized + Lookup> Backoff<K> {
    pub(crate) fn new() -> Self {
        Backoff {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: foldhash::fast::RandomState::default(),
            keys: AtomicUsize::new(0),
        }
    }

    fn shard(&self, key: &K) -> &Mutex<HashMap<K::Owned, Failures, foldhash::fast::RandomState>> {
        &self.shards[(self.hasher.hash_one(key) >> 32) as usize % SHARDS]
    }

    /// Whether it is too early to try again.
    pub(crate) fn is_waiting(&self, key: &K, now: Time) -> bool {
        self.keys.load(Relaxed) > 0
            && self.shard(key).lock().get(key).is_some_and(|failures| now < failures.retry_at)
    }

    /// Notes a failure.
    pub(crate) fn failed(&self, key: &K, now: Time, delay: Delay) {
        let mut shard = self.shard(key).lock();
        let in_a_row = shard.get(key).map_or(0, |failures| failures.in_a_row).saturating_add(1);
        let failures = Failures { in_a_row, retry_at: now.after(delay.after(in_a_row)) };
        if shard.len() >= KEYS_A_SHARD && !shard.contains_key(key) {
            self.keys.fetch_sub(shard.len(), Relaxed);
            shard.clear();
        }
        if shard.insert(key.to_owned(), failures).is_none() {
            self.keys.fetch_add(1, Relaxed);
        }
    }

    /// Notes that a load succeeded.
    pub(crate) fn succeeded(&self, key: &K) {
        if self.keys.load(Relaxed) > 0 && self.shard(key).lock().remove(key.borrow()).is_some() {
            self.keys.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const DELAY: Delay = Delay { first: SECOND, most: Duration::from_secs(5) };

    fn at(seconds: u32) -> Time {
        Time::from_nanos(0).after(seconds * SECOND)
    }

    #[test]
    fn the_delay_doubles_up_to_its_cap_and_ends_with_a_success() {
        let backoff = Backoff::<str>::new();
        let mut now = at(0);
        for seconds in [1, 2, 4, 5, 5] {
            backoff.failed("ada", now, DELAY);
            assert!(backoff.is_waiting("ada", now.after((seconds - 1) * SECOND)));
            now = now.after(seconds * SECOND);
            assert!(!backoff.is_waiting("ada", now));
        }
        backoff.succeeded("ada");
        backoff.failed("ada", now, DELAY);
        assert!(!backoff.is_waiting("ada", now.after(SECOND)));
        assert!(!backoff.is_waiting("bob", at(0)));
    }

    #[test]
    fn however_many_keys_fail_the_table_is_bounded() {
        let backoff = Backoff::<u64>::new();
        for key in 0..100_000 {
            backoff.failed(&key, at(0), DELAY);
        }
        let held: usize = backoff.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(held <= SHARDS * KEYS_A_SHARD);
        assert_eq!(backoff.keys.load(Relaxed), held);
    }
}
