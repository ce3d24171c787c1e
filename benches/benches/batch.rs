//! What gathering single gets costs beside its window, by the wall clock: 1,000 tasks ask for a key each, of a source whose calls
//! take 10 ms. JSON to stdout.
//!
//! `cargo bench -p larder-benches --bench batch`

use larder::prelude::*;
use larder::{Clock, SystemClock};
use larder_benches::machine;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::task::JoinSet;

const ROUNDS: usize = 21;
const TASKS: u64 = 1_000;
const TAKES: Duration = Duration::from_millis(10);
const WINDOW: Duration = Duration::from_millis(5);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("the machine has two threads");
    let all = json!({
        "bench": "batch",
        "machine": machine(),
        "millis_of_the_source": u64::try_from(TAKES.as_millis()).expect("it is short"),
        "millis_of_the_window": u64::try_from(WINDOW.as_millis()).expect("it is short"),
        "one_by_one": runtime.block_on(rounds(1, |task| task)),
        "100_a_call": runtime.block_on(rounds(100, |task| task)),
        "1000_a_call": runtime.block_on(rounds(1_000, |task| task)),
        "one_key": runtime.block_on(rounds(100, |_| 7)),
    });
    println!("{all:#}");
}

/// The times from the first question to the last answer. A call that is full does not wait for the window.
async fn rounds(max_batch: usize, key: fn(u64) -> u64) -> Value {
    let mut calls_made = 0;
    let mut millis = Vec::new();
    for _ in 0..ROUNDS {
        let (spent, calls) = round(max_batch, key).await;
        millis.push(spent.as_secs_f64() * 1e3);
        calls_made = calls_made.max(calls);
    }
    millis.sort_by(f64::total_cmp);
    json!({
        "tasks": TASKS,
        "calls_at_most": calls_made,
        "millis_median": millis[ROUNDS / 2],
        "millis_worst": millis[ROUNDS - 1],
    })
}

async fn round(max_batch: usize, key: fn(u64) -> u64) -> (Duration, usize) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let load = move |keys: Vec<u64>| {
        count.fetch_add(1, SeqCst);
        async move {
            SystemClock.sleep(TAKES).await;
            Ok::<_, Infallible>(keys.into_iter().map(|key| (key, key)))
        }
    };
    let cache = Cache::new(Memory::<u64, Option<u64>>::new(10_000))
        .batch_loader(load)
        .window(WINDOW)
        .max_batch(max_batch)
        .concurrency(1_000)
        .boxed();
    let begin = SystemClock.now_exact();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let cache = cache.clone();
        tasks.spawn(async move { cache.get(&key(task)).await });
    }
    while let Some(got) = tasks.join_next().await {
        assert!(matches!(got, Ok(Ok(Some(_)))), "each gets its value");
    }
    (SystemClock.now_exact().since(begin), calls.load(SeqCst))
}
