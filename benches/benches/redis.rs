//! What a level in Redis costs: larder beside the crate `redis`, against one server in one run. JSON to stdout.
//!
//! `cargo bench -p larder-benches --bench redis`
//!
//! - `raw/individual`: one `MultiplexedConnection` of the crate `redis`, a clone for each task, a command at a time.
//! - `raw/pipelined`: as many commands as there are tasks, in one pipeline by hand, one task.
//! - `larder/store`: the store `Redis` alone. `larder/cache`: a level `Cache::new(redis).codec(Raw)` over it.
//!
//! Tasks run until all operations of the round are done; contenders take turns, and the median of the rounds counts.
//! `ratio` is throughput over that of the better of the two raw forms at the same concurrency. Measured on a runtime of
//! one worker and on one of two: with two cores, the server needs one of them.

use larder::{ByteStore, Cache, Raw};
use larder_benches::{machine, now};
use larder_redis::Redis;
use larder_testkit::servers;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Builder;

const ROUNDS: usize = 11;
const KEYS: usize = 512;

fn keys() -> Arc<Vec<String>> {
    Arc::new((0..KEYS).map(|number| format!("bench:{number:08}")).collect())
}

/// Operations a second, each of `tasks` tasks doing its share of them.
async fn concurrently<F, T>(tasks: usize, operations: usize, operation: F) -> f64
where
    F: Fn(usize) -> T + Clone + Send + 'static,
    T: Future<Output = ()> + Send,
{
    let each = operations / tasks;
    let begun = now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let operation = operation.clone();
            tokio::spawn(async move {
                for number in 0..each {
                    operation(task * each + number).await;
                }
            })
        })
        .collect();
    for task in running {
        task.await.expect("no operation fails");
    }
    per_second(each * tasks, begun)
}

fn per_second(operations: usize, begun: std::time::Instant) -> f64 {
    f64::from(u32::try_from(operations).unwrap_or(u32::MAX)) / (now() - begun).as_secs_f64()
}

struct Bench {
    raw: redis::aio::MultiplexedConnection,
    store: Redis,
    cache: Cache<str, bytes::Bytes, Redis, Raw>,
    keys: Arc<Vec<String>>,
    value: bytes::Bytes,
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Get,
    Put,
}

impl Bench {
    async fn new(url: &str, size: usize) -> Self {
        let raw =
            redis::Client::open(url).expect("a URL of the testkit").get_multiplexed_async_connection().await;
        let patient = std::time::Duration::from_secs(30);
        let options = Redis::options().response_timeout(patient).connect_timeout(patient);
        let store = options.connect(url).await.expect("the server runs");
        let cache: Cache<str, bytes::Bytes, Redis, Raw> =
            Cache::new(store.clone()).codec(Raw).namespace("cached").level_timeout(patient);
        let (mut raw, keys, value) =
            (raw.expect("the server runs"), keys(), bytes::Bytes::from(vec![7; size]));
        raw.set_response_timeout(patient);
        for key in keys.iter() {
            store.put(key, value.clone(), None).await.expect("the server runs");
            cache.insert(key.as_str(), value.clone()).await.expect("the server runs");
            let mut set = redis::cmd("SET");
            set.arg(format!("raw:{key}")).arg(&value[..]);
            set.exec_async(&mut raw).await.expect("the server runs");
        }
        Bench { raw, store, cache, keys, value }
    }

    async fn individual(&self, verb: Verb, tasks: usize, operations: usize) -> f64 {
        let (raw, keys, value) = (self.raw.clone(), Arc::clone(&self.keys), self.value.clone());
        concurrently(tasks, operations, move |number| {
            let (mut raw, keys, value) = (raw.clone(), Arc::clone(&keys), value.clone());
            async move {
                let key = format!("raw:{}", keys[number % KEYS]);
                if verb == Verb::Get {
                    let found: Vec<u8> =
                        redis::cmd("GET").arg(key).query_async(&mut raw).await.expect("it runs");
                    assert_eq!(found.len(), value.len());
                } else {
                    redis::cmd("SET").arg(key).arg(&value[..]).exec_async(&mut raw).await.expect("it runs");
                }
            }
        })
        .await
    }

    async fn pipelined(&self, verb: Verb, tasks: usize, operations: usize) -> f64 {
        let (mut raw, keys, value) = (self.raw.clone(), Arc::clone(&self.keys), self.value.clone());
        let each = operations / tasks;
        let begun = now();
        let running = tokio::spawn(async move {
            for number in 0..each {
                let mut pipeline = redis::Pipeline::with_capacity(tasks);
                for task in 0..tasks {
                    let key = format!("raw:{}", keys[(number * tasks + task) % KEYS]);
                    if verb == Verb::Get {
                        pipeline.cmd("GET").arg(key);
                    } else {
                        pipeline.cmd("SET").arg(key).arg(&value[..]).ignore();
                    }
                }
                let found: Vec<Vec<u8>> = pipeline.query_async(&mut raw).await.expect("it runs");
                assert!(verb == Verb::Put || found.iter().all(|found| found.len() == value.len()));
            }
        });
        running.await.expect("no operation fails");
        per_second(each * tasks, begun)
    }

    async fn store(&self, verb: Verb, tasks: usize, operations: usize) -> f64 {
        let (store, keys, value) = (self.store.clone(), Arc::clone(&self.keys), self.value.clone());
        concurrently(tasks, operations, move |number| {
            let (store, keys, value) = (store.clone(), Arc::clone(&keys), value.clone());
            async move {
                let key = &keys[number % KEYS];
                if verb == Verb::Get {
                    assert_eq!(store.get(key).await.expect("it runs").expect("present").len(), value.len());
                } else {
                    store.put(key, value, None).await.expect("it runs");
                }
            }
        })
        .await
    }

    async fn cache(&self, verb: Verb, tasks: usize, operations: usize) -> f64 {
        let (cache, keys, value) = (self.cache.clone(), Arc::clone(&self.keys), self.value.clone());
        concurrently(tasks, operations, move |number| {
            let (cache, keys, value) = (cache.clone(), Arc::clone(&keys), value.clone());
            async move {
                let key = &keys[number % KEYS];
                if verb == Verb::Get {
                    assert_eq!(
                        cache.get(key.as_str()).await.expect("it runs").expect("present").len(),
                        value.len()
                    );
                } else {
                    cache.insert(key.as_str(), value).await.expect("it runs");
                }
            }
        })
        .await
    }
}

async fn subject(bench: &Bench, verb: Verb, tasks: usize, operations: usize) -> Value {
    let mut rates: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 0..=ROUNDS {
        for (name, rate) in [
            ("raw/individual", bench.individual(verb, tasks, operations).await),
            ("raw/pipelined", bench.pipelined(verb, tasks, operations).await),
            ("larder/store", bench.store(verb, tasks, operations).await),
            ("larder/cache", bench.cache(verb, tasks, operations).await),
        ] {
            // The first warms up.
            if round > 0 {
                rates.entry(name).or_default().push(rate);
            }
        }
    }
    let medians: BTreeMap<&str, f64> = rates
        .into_iter()
        .map(|(name, mut rates)| {
            rates.sort_by(f64::total_cmp);
            (name, rates[rates.len() / 2])
        })
        .collect();
    let base = medians["raw/individual"].max(medians["raw/pipelined"]);
    let rows = medians.iter().map(|(name, rate)| {
        let row = json!({ "per_second": rate.round(), "ratio": (rate / base * 100.0).round() / 100.0 });
        ((*name).to_owned(), row)
    });
    Value::Object(rows.collect())
}

fn main() {
    let server = servers::Redis::start();
    let mut runtimes = Map::new();
    for workers in [1, 2] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        let subjects = runtime.expect("a runtime can be built").block_on(async {
            let mut subjects = Map::new();
            for (name, size, operations) in
                [("100 B", 100, 32_768), ("10 KB", 10_000, 8_192), ("1 MB", 1_000_000, 96)]
            {
                let bench = Bench::new(server.url(), size).await;
                for (verb, word) in [(Verb::Get, "get"), (Verb::Put, "put")] {
                    for tasks in if size == 1_000_000 { vec![1, 16] } else { vec![1, 16, 256] } {
                        let operations = if tasks == 1 { operations / 8 } else { operations };
                        let figures = subject(&bench, verb, tasks, operations).await;
                        subjects.insert(format!("{word} of {name}, {tasks} tasks"), figures);
                    }
                }
            }
            subjects
        });
        runtimes.insert(format!("{workers} workers"), Value::Object(subjects));
    }
    let all = json!({ "bench": "redis", "machine": machine(), "rounds": ROUNDS, "runtimes": runtimes });
    println!("{all:#}");
}
