//! Many keys in one call: `users.get_many(&keys)`, and the like.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod get_many;
mod insert_many;
mod load_many;
mod remove_many;
mod source;

use bytes::Bytes;
use larder_core::{Cache, Operation};
use larder_testkit::{Fake, FakeBytes, MockClock};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Texts = Cache<str, Bytes>;

struct Two {
    back: FakeBytes,
    clock: MockClock,
    cache: Texts,
}

/// Memory before bytes; fresh for 60 s, stale for 30 s.
fn two_levels() -> Two {
    let (back, clock) = (FakeBytes::new(), MockClock::new());
    let cache = Cache::new(Fake::new()).chain(Cache::new(back.clone()));
    let cache = cache.clock(clock.clone()).ttl(60 * SECOND).stale(30 * SECOND).boxed();
    Two { back, clock, cache }
}

/// A cache over the same store of bytes, as another process would have one.
fn another(two: &Two) -> Texts {
    Cache::new(two.back.clone()).clock(two.clock.clone()).ttl(60 * SECOND).stale(30 * SECOND).boxed()
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// What calls of the store `work` makes.
async fn calls_of<T>(store: &FakeBytes, work: impl Future<Output = T>) -> (T, Vec<Operation>) {
    let before = store.calls().len();
    let done = work.await;
    (done, store.calls().split_off(before))
}
