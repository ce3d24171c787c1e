//! What a hit costs: larder's forms beside the raw engine, `quick_cache` and moka. JSON to stdout.
//!
//! `cargo bench -p larder-benches --bench hit`
//!
//! 1,024 hot keys, all present; `4_tags` are entries with four tags, of which none was invalidated. larder has ttl, stale window and statistics on; moka has a ttl; `quick_cache` has neither
//! ttl nor exact statistics. The raw engine is what is behind `Memory`: `quick_cache` with the same hasher, keeping the
//! value as larder keeps it, with its times.

use larder::prelude::*;
use larder::{Entry, SystemClock};
use larder_benches::{Contender, at_once, machine, measure, report};
use serde_json::json;
use std::sync::Arc;

const KEYS: u32 = 1_024;
const CAPACITY: usize = 10_000;
const ROUNDS: usize = 41;
const OPERATIONS: u32 = 200_000;
const BASE: &str = "hit/raw_engine";

type Engine<K, V> = quick_cache::sync::Cache<
    K,
    V,
    quick_cache::UnitWeighter,
    foldhash::fast::RandomState,
    quick_cache::sync::DefaultLifecycle<K, V>,
>;

fn engine<K: Eq + std::hash::Hash, V: Clone>() -> Engine<K, V> {
    Engine::with(
        CAPACITY,
        CAPACITY as u64,
        quick_cache::UnitWeighter,
        foldhash::fast::RandomState::default(),
        quick_cache::sync::DefaultLifecycle::default(),
    )
}

macro_rules! subject {
    ($name:literal, $key:ty, $owned:ty, $value:ty, |$number:ident| $make_key:expr, $make_value:expr) => {{
        let keys: Vec<$owned> = (0..KEYS).map(|$number| $make_key).collect();
        let value: $value = $make_value;
        let key = |number: u32| -> &$key { &keys[(number.wrapping_mul(7) % KEYS) as usize] };

        let raw: Engine<$owned, Entry<$value>> = engine();
        let quick = quick_cache::sync::Cache::<$owned, $value>::new(CAPACITY);
        let moka = moka::sync::Cache::<$owned, $value>::builder()
            .max_capacity(CAPACITY as u64)
            .time_to_live(hours(1))
            .build();
        let moka_future = moka::future::Cache::<$owned, $value>::builder()
            .max_capacity(CAPACITY as u64)
            .time_to_live(hours(1))
            .build();
        let memory = Cache::new(Memory::<$key, $value>::new(CAPACITY)).ttl(hours(1)).stale(minutes(1));
        let tagged = Cache::new(Memory::<$key, $value>::new(CAPACITY))
            .ttl(hours(1))
            .stale(minutes(1))
            .tags(|_, _| ["a", "b", "c", "d"]);
        let chain = memory.clone().chain(Cache::new(Memory::<$key, $value>::new(CAPACITY)).ttl(hours(2)));
        let boxed = chain.clone().boxed();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
        for key in &keys {
            let now = larder::Clock::now(&SystemClock);
            raw.insert(key.clone(), Entry::new(value.clone(), now).fresh_for(hours(1)));
            quick.insert(key.clone(), value.clone());
            moka.insert(key.clone(), value.clone());
            runtime.block_on(moka_future.insert(key.clone(), value.clone()));
            runtime.block_on(memory.insert(key, value.clone())).expect("memory takes everything");
            runtime.block_on(tagged.insert(key, value.clone())).expect("memory takes everything");
            runtime.block_on(chain.insert(key, value.clone())).expect("memory takes everything");
        }
        moka.run_pending_tasks();

        let load = async || -> Result<$value, ()> { Err(()) };
        let contenders = vec![
            Contender::new("hit/raw_engine", |n| raw.get(key(n)).expect("present").into_value()),
            Contender::new("hit/quick_cache", |n| quick.get(key(n)).expect("present")),
            Contender::new("hit/moka_sync_ttl", |n| moka.get(key(n)).expect("present")),
            Contender::new("hit/moka_future_ttl", |n| at_once(moka_future.get(key(n))).expect("present")),
            Contender::new("hit/larder_memory/get", |n| {
                at_once(memory.get(key(n))).unwrap().expect("present")
            }),
            Contender::new("hit/larder_memory_4_tags/get", |n| {
                at_once(tagged.get(key(n))).unwrap().expect("present")
            }),
            Contender::new("hit/larder_chain/get", |n| at_once(chain.get(key(n))).unwrap().expect("present")),
            Contender::new("hit/larder_chain/get_now", |n| chain.get_now(key(n)).expect("present")),
            Contender::new("hit/larder_chain/get_or_load", |n| {
                at_once(chain.get_or_load(key(n), load)).unwrap()
            }),
            Contender::new("hit/larder_boxed/get", |n| at_once(boxed.get(key(n))).unwrap().expect("present")),
            Contender::new("hit/larder_boxed/get_now", |n| boxed.get_now(key(n)).expect("present")),
            Contender::new("hit/larder_boxed/get_or_load", |n| {
                at_once(boxed.get_or_load(key(n), load)).unwrap()
            }),
        ];
        (format!("{}", $name), report(&measure(contenders, ROUNDS, OPERATIONS), BASE))
    }};
}

fn main() {
    let subjects = [
        subject!("u64 to u64", u64, u64, u64, |n| u64::from(n), 7),
        subject!("u64 to Arc", u64, u64, Arc<str>, |n| u64::from(n), "countess".into()),
        subject!("str to Arc", str, String, Arc<str>, |n| format!("user:{n:018}"), "countess".into()),
    ];
    let subjects: serde_json::Map<_, _> = subjects.into_iter().collect();
    let all = json!({
        "bench": "hit",
        "machine": machine(),
        "rounds": ROUNDS,
        "operations_a_round": OPERATIONS,
        "subjects": subjects,
    });
    println!("{all:#}");
}
