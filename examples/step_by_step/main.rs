//! One policy after the other, and what each does for a database in trouble: `cargo run --release --example step_by_step`.
//!
//! A shop runs on three nodes. Every ten seconds each of them is asked for each of 1,000 products by 100 callers at once.
//! The database answers in 20 ms; from the second minute to the fourth it takes two seconds, from the fifth to the eighth
//! it is down. Each step puts the cache together anew, with one thing more, and runs the same ten minutes under a mock
//! clock: every query, every failed answer and every wait below is counted, not estimated. The scenario is that of
//! FusionCache's "Step by Step".

mod database;
mod naive;
#[path = "../quickstart/progress.rs"]
mod progress;
mod shop;

use database::Database;
use larder::prelude::*;
use larder_testkit::MockClock;
use naive::Naive;
use progress::Progress;
use shop::{NODES, Shop, Told};

type Products = Cache<u32, u64>;

/// A cache of one node, as far as a step has come. `shared` is the store that all nodes reach.
type Compose = fn(&MockClock, &std::sync::Arc<Object>) -> Products;

const STEPS: [(&str, Compose); 5] = [
    ("one load a key, ttl 1 min", |clock, _| memory(clock).boxed()),
    ("+ stale_if_error 1 h", |clock, _| memory(clock).stale_if_error(hours(1)).boxed()),
    ("+ soft_timeout 100 ms", |clock, _| {
        memory(clock).stale_if_error(hours(1)).soft_timeout(millis(100)).boxed()
    }),
    ("+ refresh_ahead 0.8", |clock, _| {
        memory(clock).stale_if_error(hours(1)).soft_timeout(millis(100)).refresh_ahead(0.8).boxed()
    }),
    ("+ a second level, shared", |clock, shared| {
        memory(clock)
            .chain(Cache::new(std::sync::Arc::clone(shared)).codec(Json))
            .ttl(minutes(1))
            .stale_if_error(hours(1))
            .soft_timeout(millis(100))
            .refresh_ahead(0.8)
            .boxed()
    }),
];

fn memory(clock: &MockClock) -> Cache<u32, u64, Memory<u32, u64>, larder::Native> {
    Cache::new(Memory::new(10_000)).ttl(minutes(1)).clock(clock.clone())
}

/// Runs the ten minutes with a cache of its own on each node.
async fn step(shop: &Shop, compose: Compose, tick: impl FnMut()) -> Told {
    let (clock, shared) = (MockClock::new(), std::sync::Arc::new(Object::in_memory()));
    let database = Database::new(clock.clone());
    let nodes: Vec<Products> = (0..NODES).map(|_| compose(&clock, &shared)).collect();
    let ask = |node: usize, product: u32| {
        let (cache, database) = (nodes[node].clone(), database.clone());
        async move {
            let load = async move || database.price(product).await;
            cache.get_or_load(&product, load).await.map_err(drop)
        }
    };
    shop.open(&clock, &database, ask, tick).await
}

async fn without_a_cache(shop: &Shop, tick: impl FnMut()) -> Told {
    let clock = MockClock::new();
    let database = Database::new(clock.clone());
    let ask = |_, product| {
        let database = database.clone();
        async move { database.price(product).await.map_err(drop) }
    };
    shop.open(&clock, &database, ask, tick).await
}

async fn with_a_naive_cache(shop: &Shop, tick: impl FnMut()) -> Told {
    let clock = MockClock::new();
    let database = Database::new(clock.clone());
    let nodes: Vec<Naive> = (0..NODES).map(|_| Naive::new(clock.clone(), minutes(1))).collect();
    let ask = |node: usize, product| {
        let (cache, database) = (nodes[node].clone(), database.clone());
        async move { cache.get_or_load(product, || database.price(product)).await.map_err(drop) }
    };
    shop.open(&clock, &database, ask, tick).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let shop = Shop::from_args()?;
    let (mut bar, mut done) = (Progress::new("step by step", (STEPS.len() + 2) * shop::TICKS), 0);
    let mut tick = || {
        done += 1;
        bar.reached(done);
    };
    let mut table = vec![
        ("no cache", without_a_cache(&shop, &mut tick).await),
        ("get, load, insert; ttl 1 min", with_a_naive_cache(&shop, &mut tick).await),
    ];
    for (name, compose) in STEPS {
        table.push((name, step(&shop, compose, &mut tick).await));
    }
    drop(bar);

    println!("{} calls in ten minutes, each step\n", shop.calls());
    println!("{:<30} {:>12} {:>12} {:>14} {:>12}", "", "queries", "failed", "over 100 ms", "longest");
    for (name, told) in &table {
        println!(
            "{name:<30} {:>12} {:>12} {:>14} {:>10.2} s",
            told.queries,
            told.failed,
            told.slow,
            told.longest.as_secs_f64()
        );
    }
    // The last three steps are what the policies are for.
    let survived = table[3..].iter().all(|(_, told)| told.failed == 0);
    let at_once = table[4..].iter().all(|(_, told)| told.longest <= millis(100));
    anyhow::ensure!(survived && at_once, "callers noticed that the database was in trouble");
    Ok(())
}
