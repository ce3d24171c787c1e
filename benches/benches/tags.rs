//! What tags cost: an invalidation of a tag that a million entries have, and the hits after an invalidation. JSON to stdout.
//!
//! `cargo bench -p larder-benches --bench tags`

use larder::prelude::*;
use larder::{Clock, SystemClock};
use larder_benches::{Contender, at_once, machine, measure, report};
use serde_json::json;

const ENTRIES: u64 = 1_000_000;
const KEYS: u32 = 1_024;
const ROUNDS: usize = 21;
const OPERATIONS: u32 = 50_000;
const BASE: &str = "tags/hit_without";

fn main() {
    let all = json!({
        "bench": "tags",
        "machine": machine(),
        "invalidation": invalidation(),
        "hits": hits(),
    });
    println!("{all:#}");
}

/// The time that it takes to invalidate a tag of a million entries, of which afterwards none is served.
fn invalidation() -> serde_json::Value {
    let cache = Cache::new(Memory::<u64, u64>::new(2_000_000)).tags(|_, _| ["all"]);
    let mut nanos = Vec::new();
    for _ in 0..5 {
        for key in 0..ENTRIES {
            at_once(cache.insert(&key, key)).expect("memory takes everything");
        }
        assert!((0..ENTRIES).filter(|key| cache.get_now(key).is_some()).count() > 990_000);
        let begin = SystemClock.now_exact();
        at_once(cache.invalidate_tag("all")).expect("nothing can fail in memory");
        nanos.push(SystemClock.now_exact().since(begin).as_nanos());
        assert!((0..ENTRIES).all(|key| cache.get_now(&key).is_none()));
    }
    json!({ "entries": ENTRIES, "nanoseconds": nanos })
}

/// Hits without tags, with tags and nothing invalidated, and with tags where a tag of others is invalidated before each.
fn hits() -> serde_json::Value {
    let make = || Cache::new(Memory::<u64, u64>::new(10_000)).ttl(hours(1));
    let (plain, tagged) = (make(), make().tags(|_, _| ["a", "b", "c", "d"]));
    let group = larder::Coherence::new();
    let judged = make().tags(|_, _| ["a", "b", "c", "d"]).coherence(&group);
    for key in 0..u64::from(KEYS) {
        for cache in [&plain, &tagged, &judged] {
            at_once(cache.insert(&key, key)).expect("memory takes everything");
        }
    }
    let key = |n: u32| u64::from(n.wrapping_mul(7) % KEYS);
    let contenders = vec![
        Contender::new(BASE, |n| plain.get_now(&key(n)).expect("present")),
        Contender::new("tags/hit_with_4", |n| tagged.get_now(&key(n)).expect("present")),
        Contender::new("tags/invalidate_another", |_| at_once(judged.invalidate_tag("other")).is_ok()),
        Contender::new("tags/invalidate_another_and_hit_with_4", |n| {
            at_once(judged.invalidate_tag("other")).expect("nothing can fail in memory");
            judged.get_now(&key(n)).expect("present")
        }),
    ];
    serde_json::Value::Object(
        report(&measure(contenders, ROUNDS, OPERATIONS), BASE).as_object().cloned().unwrap_or_default(),
    )
}
