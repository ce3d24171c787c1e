//! The conformance suite is worth something only if it fails stores that are wrong.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Cleared, Entry, Result, Store, Time};
use larder_testkit::conformance::{cache, form, raw_bytes, raw_values, run};
use larder_testkit::{Fake, FakeBytes, MockClock};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::SystemTime;

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    FoldsCase,
    CutsLongKeys,
    EndsKeysAtZero,
    KeepsTheFirstValue,
    LosesWrites,
    RemovesNothing,
    ClearsEverything,
    ClearsWhatBeginsAlike,
    ClearsNothingAndSaysSo,
    ClearsNothingAndDoesNot,
    CutsValues,
}

struct Flawed(FakeBytes, Flaw);

impl Flawed {
    fn key(&self, key: &str) -> String {
        match self.1 {
            Flaw::FoldsCase => key.to_lowercase(),
            Flaw::CutsLongKeys => key.chars().take(250).collect(),
            Flaw::EndsKeysAtZero => key.split('\0').next().unwrap_or_default().into(),
            _ => key.into(),
        }
    }
}

impl ByteStore for Flawed {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(&self.key(key)).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        let key = self.key(key);
        match self.1 {
            Flaw::LosesWrites => Ok(()),
            Flaw::KeepsTheFirstValue if self.0.raw(&key).is_some() => Ok(()),
            Flaw::CutsValues => self.0.put(&key, bytes.slice(..bytes.len().min(65_536)), expires_at).await,
            _ => self.0.put(&key, bytes, expires_at).await,
        }
    }
    async fn remove(&self, key: &str) -> Result<()> {
        if self.1 == Flaw::RemovesNothing { Ok(()) } else { self.0.remove(&self.key(key)).await }
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        match self.1 {
            Flaw::ClearsEverything => self.0.clear("").await,
            Flaw::ClearsWhatBeginsAlike => self.0.clear(prefix.trim_end_matches(':')).await,
            Flaw::ClearsNothingAndSaysSo => Ok(Cleared::Unsupported),
            Flaw::ClearsNothingAndDoesNot => Ok(Cleared::Done),
            _ => self.0.clear(prefix).await,
        }
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear()
    }
}

fn fails(test: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(test))).is_err()
}

/// Whether any test of the suite fails the store.
fn is_caught(flaw: Flaw) -> bool {
    let store = || Flawed(FakeBytes::new(), flaw);
    let (clock, cache) = (MockClock::new(), || form::plain::bytes(store(), &MockClock::new()));
    fails(raw_bytes::bytes_come_back_exactly(store()))
        || fails(raw_bytes::a_put_replaces_and_a_remove_removes(store()))
        || fails(raw_bytes::bytes_that_have_not_expired_are_kept(store()))
        || fails(raw_bytes::what_it_claims_is_true(store()))
        || fails(cache::keys_that_differ_do_not_meet(cache(), clock.clone()))
        || fails(cache::empty_and_large_values_come_back(cache(), clock.clone()))
        || fails(cache::clear_removes_everything(cache(), clock))
}

/// In a chain, too, it is the store that is tested and not the level beside it.
#[test]
fn a_store_that_loses_writes_fails_as_either_level_of_a_chain() {
    let (clock, lossy) = (MockClock::new(), || Flawed(FakeBytes::new(), Flaw::LosesWrites));
    for form in [form::in_front::bytes::<Flawed>, form::behind::bytes::<Flawed>] {
        let cache = || form(lossy(), &clock);
        assert!(fails(cache::a_value_comes_back_until_it_is_removed(cache(), clock.clone())));
        assert!(fails(cache::entries_expire_on_time(cache(), clock.clone())));
        assert!(fails(cache::concurrent_keys_keep_their_values(cache(), clock.clone())));
        assert!(fails(cache::an_insert_during_a_load_wins(cache(), clock.clone())));
    }
}

#[test]
fn a_flawed_store_of_bytes_fails_and_a_sound_one_passes() {
    assert!(!is_caught(Flaw::None));
    assert!(is_caught(Flaw::FoldsCase));
    assert!(is_caught(Flaw::CutsLongKeys));
    assert!(is_caught(Flaw::EndsKeysAtZero));
    assert!(is_caught(Flaw::KeepsTheFirstValue));
    assert!(is_caught(Flaw::LosesWrites));
    assert!(is_caught(Flaw::RemovesNothing));
    assert!(is_caught(Flaw::ClearsEverything));
    assert!(is_caught(Flaw::ClearsWhatBeginsAlike));
    assert!(is_caught(Flaw::ClearsNothingAndSaysSo));
    assert!(is_caught(Flaw::ClearsNothingAndDoesNot));
    assert!(is_caught(Flaw::CutsValues));
}

/// Claims what it cannot.
struct Boaster(Fake<str, Bytes>, Capabilities);

impl Store<str> for Boaster {
    type Value = Bytes;

    async fn get(&self, key: &str) -> Result<Option<Entry<Bytes>>> {
        self.0.get(key).await
    }
    async fn insert(&self, key: &str, entry: Entry<Bytes>) -> Result<()> {
        self.0.insert(key, entry).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(key).await
    }
    fn get_now(&self, _key: &str) -> Poll<Option<Entry<Bytes>>> {
        Poll::Pending
    }
    fn sweep(&self, _now: Time) {}
    fn capabilities(&self) -> Capabilities {
        self.1
    }
}

#[test]
fn a_store_that_claims_what_it_cannot_fails() {
    let boaster = |claims| Boaster(Fake::new(), claims);
    assert!(!fails(raw_values::what_it_claims_is_true(boaster(Capabilities::NONE))));
    assert!(fails(raw_values::what_it_claims_is_true(boaster(Capabilities::NONE.immediate()))));
    assert!(fails(raw_values::what_it_claims_is_true(boaster(Capabilities::NONE.sweep()))));
    assert!(fails(raw_values::what_it_claims_is_true(boaster(Capabilities::NONE.clear()))));
}
