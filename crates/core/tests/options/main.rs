//! What calls ask for beside their keys: `users.with(|call| ..)`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allow_stale;
mod force_refresh;
mod handles;
mod max_age;
mod max_wait;
mod skip;

use bytes::Bytes;
use larder_core::{Cache, CallOptions, Freshness, LoadError, Operation};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock, Recorder, settle};
use std::time::Duration;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);

type Texts = Cache<str, Bytes>;
type Script = Loader<Bytes, &'static str>;
type Answer = Result<Bytes, LoadError<&'static str>>;

struct Two {
    front: Fake<str, Bytes>,
    back: FakeBytes,
    clock: MockClock,
    cache: Texts,
}

/// Fresh for 60 s, stale for 30 s, kept for 1,000 s.
fn two_levels() -> Two {
    let (front, back, clock) = (Fake::new(), FakeBytes::new(), MockClock::new());
    let cache = Cache::new(front.clone()).chain(Cache::new(back.clone()));
    Two { cache: policy(cache.clock(clock.clone()).boxed()), front, back, clock }
}

fn policy(cache: Texts) -> Texts {
    cache.ttl(60 * SECOND).stale(30 * SECOND).stale_if_error(1_000 * SECOND)
}

/// One level of memory, one of bytes, and two levels.
fn in_all_forms() -> Vec<(Texts, MockClock)> {
    let (memory, bytes) = (MockClock::new(), MockClock::new());
    let two = two_levels();
    vec![
        (policy(Cache::new(Fake::new()).clock(memory.clone()).boxed()), memory),
        (policy(Cache::new(FakeBytes::new()).clock(bytes.clone()).boxed()), bytes),
        (two.cache, two.clock),
    ]
}

fn call(cache: &Texts, script: &Script) -> JoinHandle<Answer> {
    let (cache, load) = (cache.clone(), script.load());
    tokio::spawn(async move { cache.get_or_load("ada", load).await })
}
