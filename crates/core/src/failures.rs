//! Keys whose loads failed: when to try again, and which errors are remembered.
//!
//! While something old is served instead, each failure in a row doubles the delay, up to a cap; a load that succeeds
//! ends the row. An error that is to be remembered answers the calls for its key, instead of another load, for as long
//! as it was said. The table is bounded: when a part of it is full it is emptied, and the keys in it are tried again
//! sooner than they would be.

use crate::coherence::{Other, Verdict};
use crate::sync::{AtomicUsize, Mutex, RandomState, shards};
use crate::{Lookup, Time};
use std::any::{Any, TypeId};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// See the module.
pub(crate) struct Failures<K: ?Sized + Lookup> {
    /// Each lock protects a part of the table, for a look-up or an insertion.
    shards: Box<[Mutex<Shard<K>>]>,
    hasher: RandomState,
    /// Keys in the table: none of them, nearly always, and then nothing is locked.
    keys: AtomicUsize,
}

type Shard<K> = HashMap<<K as ToOwned>::Owned, Failed, RandomState>;

/// What is known of a key whose last load failed.
#[derive(Default)]
struct Failed {
    in_a_row: u32,
    /// Too early to try again before this, where something old can be served.
    retry_at: Option<Time>,
    /// The error that answers until a time. Its type is the caller's.
    remembered: Option<Remembered>,
}

struct Remembered {
    error: Arc<dyn Any + Send + Sync>,
    until: Time,
    /// The tags of the load, by which it is forgotten.
    tagged: Vec<Other>,
}

/// What had to go for a new failure. The destructors of keys and errors are code of the user, so it is dropped where
/// nothing is locked.
pub(crate) struct Displaced<K: ?Sized + Lookup> {
    _error: Option<Arc<dyn Any + Send + Sync>>,
    _keys: Shard<K>,
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

const SHARDS: usize = shards(16);
const KEYS_A_SHARD: usize = 1_024;

impl<K: ?Sized + Lookup> Failures<K> {
    pub(crate) fn new() -> Self {
        Failures {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::default(),
            keys: AtomicUsize::new(0),
        }
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K>> {
        &self.shards[(self.hasher.hash_one(key) >> 32) as usize % SHARDS]
    }

    /// Whether no key is known to have failed.
    fn is_empty(&self) -> bool {
        self.keys.load(Relaxed) == 0
    }

    /// Whether it is too early to try again.
    pub(crate) fn is_waiting(&self, key: &K, now: Time) -> bool {
        let waits = |failed: &Failed| failed.retry_at.is_some_and(|retry_at| now < retry_at);
        !self.is_empty() && self.shard(key).lock().get(key).is_some_and(waits)
    }

    /// Returns the error that answers for the key, if it is one of the `expected` type.
    pub(crate) fn remembered(
        &self,
        key: &K,
        now: Time,
        expected: TypeId,
    ) -> Option<Arc<dyn Any + Send + Sync>> {
        if self.is_empty() {
            return None;
        }
        let (error, tagged) = {
            let shard = self.shard(key).lock();
            let Remembered { error, until, tagged } = shard.get(key)?.remembered.as_ref()?;
            if now >= *until || (**error).type_id() != expected {
                return None;
            }
            (Arc::clone(error), tagged.clone())
        };
        // Where the log would have to be asked, the loader is.
        tagged.iter().all(|tagged| tagged.judge(now) == Verdict::Sound).then_some(error)
    }

    /// Notes a failure after which something old is served.
    pub(crate) fn failed(&self, key: &K, now: Time, delay: Delay) -> Displaced<K> {
        self.change(key, |failed| {
            failed.in_a_row = failed.in_a_row.saturating_add(1);
            failed.retry_at = Some(now.after(delay.after(failed.in_a_row)));
            None
        })
    }

    /// Notes an error that is to answer until a time, or until one of its tags is invalidated.
    pub(crate) fn remember(
        &self,
        key: &K,
        error: Arc<dyn Any + Send + Sync>,
        until: Time,
        tagged: Vec<Other>,
    ) -> Displaced<K> {
        let remembered = Remembered { error, until, tagged };
        self.change(key, |failed| failed.remembered.replace(remembered).map(|older| older.error))
    }

    fn change(
        &self,
        key: &K,
        change: impl FnOnce(&mut Failed) -> Option<Arc<dyn Any + Send + Sync>>,
    ) -> Displaced<K> {
        let mut shard = self.shard(key).lock();
        if let Some(failed) = shard.get_mut(key) {
            return Displaced { _error: change(failed), _keys: Shard::<K>::default() };
        }
        let forgotten =
            if shard.len() >= KEYS_A_SHARD { std::mem::take(&mut *shard) } else { Shard::<K>::default() };
        self.keys.fetch_sub(forgotten.len(), Relaxed);
        let mut failed = Failed::default();
        let error = change(&mut failed);
        shard.insert(key.to_owned(), failed);
        self.keys.fetch_add(1, Relaxed);
        Displaced { _error: error, _keys: forgotten }
    }

    /// Forgets the key: a load succeeded, or someone wrote or removed it.
    pub(crate) fn forget(&self, key: &K) {
        if self.is_empty() {
            return;
        }
        let forgotten = self.shard(key).lock().remove_entry(key.borrow());
        if forgotten.is_some() {
            self.keys.fetch_sub(1, Relaxed);
        }
    }

    /// Forgets all keys.
    pub(crate) fn forget_all(&self) {
        if self.is_empty() {
            return;
        }
        for shard in &self.shards {
            let forgotten = std::mem::take(&mut *shard.lock());
            self.keys.fetch_sub(forgotten.len(), Relaxed);
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
        let failures = Failures::<str>::new();
        let mut now = at(0);
        for seconds in [1, 2, 4, 5, 5] {
            failures.failed("ada", now, DELAY);
            assert!(failures.is_waiting("ada", now.after((seconds - 1) * SECOND)));
            now = now.after(seconds * SECOND);
            assert!(!failures.is_waiting("ada", now));
        }
        failures.forget("ada");
        failures.failed("ada", now, DELAY);
        assert!(!failures.is_waiting("ada", now.after(SECOND)));
        assert!(!failures.is_waiting("bob", at(0)));
    }

    #[test]
    fn an_error_is_remembered_for_its_time_and_for_its_type() {
        let failures = Failures::<str>::new();
        failures.remember("ada", Arc::new("not found"), at(5), Vec::new());

        let remembered = |now, expected| failures.remembered("ada", now, expected);
        let text = TypeId::of::<&str>();
        assert_eq!(remembered(at(4), text).unwrap().downcast_ref(), Some(&"not found"));
        assert!(remembered(at(4), TypeId::of::<u32>()).is_none());
        assert!(remembered(at(5), text).is_none());
        assert!(!failures.is_waiting("ada", at(4)));
        failures.forget_all();
        assert!(remembered(at(4), text).is_none());
    }

    #[test]
    fn however_many_keys_fail_the_table_is_bounded() {
        let failures = Failures::<u64>::new();
        for key in 0..100_000 {
            failures.failed(&key, at(0), DELAY);
        }
        let held: usize = failures.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(held <= SHARDS * KEYS_A_SHARD);
        assert_eq!(failures.keys.load(Relaxed), held);
    }
}
