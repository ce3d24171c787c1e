//! What loading costs: larder beside `quick_cache`, moka and cachet. JSON to stdout.
//!
//! `cargo bench -p larder-benches --bench load`
//!
//! - `load_on_hit`: asking for a key that is there.
//! - `miss_and_load`: asking for a key that never was, of a full cache, with a loader that is ready at once. All on
//!   one current-thread runtime, where larder's loads are tasks of their own; nobody else's are.
//! - `stale_serve`: asking for a key that is stale and being reloaded already.
//! - `stampede`: 10,000 tasks ask for one missing key, on a runtime of two workers. Either the loader yields a few
//!   times, and most tasks come after it, or it yields until all have come, and all but one wait for it.
//!
//! larder has ttl, stale window and statistics on; moka has a ttl; cachet, which wraps moka, has a ttl and stampede
//! protection, without which it does not load once; `quick_cache` has neither ttl nor exact statistics. Keys are
//! borrowed wherever an interface takes them so.

use anyspawn::Spawner;
use cachet::{CacheEntry, CacheTier, InsertOutcome, TimeToRefresh};
use larder::prelude::*;
use larder::{Clock, Holds, Lookup, Native, SystemClock};
use larder_benches::{Contender, Figure, at_once, machine, measure, report};
use serde_json::{Map, Value, json};
use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt::Debug;
use std::future::{Future, pending, ready};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::yield_now;

const KEYS: u32 = 1_024;
const CAPACITY: usize = 10_000;
const ROUNDS: usize = 41;
const HITS: u32 = 20_000;
/// So that the rounds which warm up fill the caches.
const MISSES: u32 = 10_000;
const TASKS: u32 = 10_000;
const FEW: u32 = 3;

/// A cache that loads what it does not have.
trait Asked<Q: ?Sized, V>: Send + Sync + 'static {
    fn ask(&self, key: &Q, load: impl Future<Output = V> + Send + 'static) -> impl Future<Output = V> + Send;
}

/// What all of the caches can keep, and what can be asserted.
trait Kept: Clone + PartialEq + Debug + Send + Sync + 'static {}
impl<V: Clone + PartialEq + Debug + Send + Sync + 'static> Kept for V {}

type Quick<K, V> = quick_cache::sync::Cache<K, V>;
struct MokaGetWith<K, V>(moka::future::Cache<K, V>);
struct MokaTryGetWith<K, V>(moka::future::Cache<K, V>);

impl<Q, V, S, C> Asked<Q, V> for Cache<Q, V, S, C>
where
    Q: ?Sized + Lookup,
    V: Kept,
    S: Send + Sync + 'static,
    C: Holds<S, Q, V>,
{
    async fn ask(&self, key: &Q, load: impl Future<Output = V> + Send + 'static) -> V {
        self.get_or_load(key, async || Ok::<_, Infallible>(load.await)).await.expect("it loads")
    }
}

impl<Q: ?Sized + Lookup, V: Kept> Asked<Q, V> for Quick<Q::Owned, V> {
    async fn ask(&self, key: &Q, load: impl Future<Output = V> + Send + 'static) -> V {
        let Ok(value) = self.get_or_insert_async(key, async { Ok::<_, Infallible>(load.await) }).await;
        value
    }
}

impl<Q: ?Sized + Lookup, V: Kept> Asked<Q, V> for MokaGetWith<Q::Owned, V> {
    async fn ask(&self, key: &Q, load: impl Future<Output = V> + Send + 'static) -> V {
        self.0.get_with_by_ref(key, load).await
    }
}

impl<Q: ?Sized + Lookup, V: Kept> Asked<Q, V> for MokaTryGetWith<Q::Owned, V> {
    async fn ask(&self, key: &Q, load: impl Future<Output = V> + Send + 'static) -> V {
        let load = async { Ok::<_, Infallible>(load.await) };
        self.0.try_get_with_by_ref(key, load).await.expect("it loads")
    }
}

impl<Q: ?Sized + Lookup, V: Kept> Asked<Q, V> for cachet::Cache<Q::Owned, V> {
    async fn ask(&self, key: &Q, load: impl Future<Output = V> + Send + 'static) -> V {
        self.get_or_insert(key, || load).await.expect("it loads").into_value()
    }
}

fn larder<Q: ?Sized + Lookup, V: Kept>(ttl: Duration) -> Cache<Q, V, Memory<Q, V>, Native> {
    Cache::new(Memory::new(CAPACITY)).ttl(ttl).stale(hours(1))
}

fn moka<K: Hash + Eq + Send + Sync + 'static, V: Kept>() -> moka::future::Cache<K, V> {
    moka::future::Cache::builder().max_capacity(CAPACITY as u64).time_to_live(hours(1)).build()
}

/// cachet in memory, which wants its clock made within a runtime.
macro_rules! cachet {
    ($runtime:expr) => {{
        let clock = $runtime.block_on(async { tick::Clock::new_tokio() });
        cachet::Cache::builder(clock).memory_with(|memory| memory.max_capacity(CAPACITY as u64)).ttl(hours(1))
    }};
}

/// The contenders of a group, each made of a new cache.
macro_rules! contenders {
    ($group:expr, $runtime:expr, |$name:ident, $cache:ident| $contender:expr) => {
        contenders!(@ $group, |$name, $cache| $contender,
            "quick_cache" => Quick::new(CAPACITY),
            "moka/get_with" => MokaGetWith(moka()),
            "moka/try_get_with" => MokaTryGetWith(moka()),
            "cachet" => cachet!($runtime).stampede_protection().build(),
            "larder/static" => larder(hours(1)),
            "larder/boxed" => larder(hours(1)).boxed(),
        )
    };
    (@ $group:expr, |$name:ident, $cache:ident| $contender:expr, $($variant:literal => $made:expr,)*) => {
        vec![$({
            let ($name, $cache) = (format!("{}/{}", $group, $variant), $made);
            $contender
        }),*]
    };
}

/// What is asked for: keys by their numbers, and values.
struct Subject<Q: ?Sized + Lookup, V> {
    name: &'static str,
    key: fn(u64) -> Q::Owned,
    value: fn(u64) -> V,
}

impl<Q: ?Sized + Lookup, V: Kept> Subject<Q, V> {
    fn load_on_hit(&self, runtime: &Runtime) -> Value {
        let keys = self.keys();
        let contenders =
            contenders!("load_on_hit", runtime, |name, cache| self.hits(name, cache, &keys, runtime));
        report(&measure(contenders, ROUNDS, HITS), "load_on_hit/quick_cache")
    }

    fn hits<'a>(
        &self,
        name: String,
        cache: impl Asked<Q, V>,
        keys: &'a [Q::Owned],
        runtime: &Runtime,
    ) -> Contender<'a> {
        let value = (self.value)(0);
        for key in keys {
            runtime.block_on(cache.ask(key.borrow(), ready(value.clone())));
        }
        asks::<Q, V>(name, cache, keys, value)
    }

    fn miss_and_load(&self, runtime: &Runtime) -> Value {
        let contenders =
            contenders!("miss_and_load", runtime, |name, cache| self.misses(name, cache, runtime));
        report(&measure(contenders, ROUNDS, MISSES), "miss_and_load/quick_cache")
    }

    fn misses<'a>(&self, name: String, cache: impl Asked<Q, V>, runtime: &'a Runtime) -> Contender<'a> {
        let (key, value) = (self.key, self.value);
        let mut asked = 0;
        let fresh = move |operations| {
            let numbers = asked..asked + u64::from(operations);
            asked = numbers.end;
            numbers.map(|number| (key(number), value(number))).collect()
        };
        Contender::of_batches(name, fresh, move |batch: &Vec<_>| {
            runtime.block_on(async {
                for (key, value) in batch {
                    // Nobody else has loaded it, so the value tells that this load was the one.
                    assert_eq!(cache.ask(key.borrow(), ready(value.clone())).await, *value);
                }
            });
        })
    }

    /// moka and `quick_cache` serve nothing stale.
    fn stale_serve(&self, runtime: &Runtime) -> Value {
        let (keys, value) = (self.keys(), (self.value)(0));
        let short = larder::<Q, V>(millis(1));
        let boxed = larder::<Q, V>(millis(1)).boxed();
        let below = Hanging::default();
        let cachet = cachet!(runtime);
        let lower = cachet::Cache::builder(cachet.clock().clone()).storage(below.clone());
        let cachet = cachet
            .fallback(lower)
            .time_to_refresh(TimeToRefresh::new(Duration::ZERO, Spawner::new_tokio()))
            .stampede_protection()
            .build();
        runtime.block_on(async {
            for key in &keys {
                short.insert(key.borrow(), value.clone()).await.expect("memory takes everything");
                boxed.insert(key.borrow(), value.clone()).await.expect("memory takes everything");
                cachet.insert(key.clone(), value.clone()).await.expect("memory takes everything");
            }
            let inserted = SystemClock.now_exact();
            while SystemClock.now().since(inserted) < millis(10) {
                yield_now().await;
            }
            for key in &keys {
                let key = key.borrow();
                assert_eq!(short.ask(key, pending()).await, value);
                assert_eq!(boxed.ask(key, pending()).await, value);
                assert_eq!(cachet.ask(key, pending()).await, value);
            }
            // Lets the reloads begin.
            for _ in 0..KEYS {
                yield_now().await;
            }
        });

        let contenders = vec![
            asks::<Q, V>("stale_serve/cachet".into(), cachet, &keys, value.clone()),
            asks::<Q, V>("stale_serve/larder/static".into(), short.clone(), &keys, value.clone()),
            asks::<Q, V>("stale_serve/larder/boxed".into(), boxed.clone(), &keys, value),
        ];
        let figures = measure(contenders, ROUNDS, HITS);
        // Each found under way what was begun before.
        assert_eq!(below.0.load(Relaxed), u64::from(KEYS));
        for stats in [short.stats(), boxed.stats()] {
            assert_eq!((stats.reloads, stats.levels[0].fresh_hits), (u64::from(KEYS), 0));
        }
        report(&figures, "stale_serve/cachet")
    }

    fn keys(&self) -> Vec<Q::Owned> {
        (0..u64::from(KEYS)).map(self.key).collect()
    }

    fn groups(&self) -> [(&'static str, Value); 3] {
        let runtime = Builder::new_current_thread().build().expect("a runtime can be made");
        [
            ("load_on_hit", self.load_on_hit(&runtime)),
            ("miss_and_load", self.miss_and_load(&runtime)),
            ("stale_serve", self.stale_serve(&runtime)),
        ]
    }
}

/// Asks for what is there, with a loader that never ends.
fn asks<Q: ?Sized + Lookup, V: Kept>(
    name: String,
    cache: impl Asked<Q, V>,
    keys: &[Q::Owned],
    value: V,
) -> Contender<'_> {
    Contender::new(name, move |number| {
        let key = keys[(number.wrapping_mul(7) % KEYS) as usize].borrow();
        assert_eq!(at_once(cache.ask(key, pending())), value);
    })
}

/// A tier of cachet from which no value ever comes, and how often it was asked for one.
#[derive(Clone, Debug, Default)]
struct Hanging(Arc<AtomicU64>);

impl<K: Send + Sync, V: Send + Sync> CacheTier<K, V> for Hanging {
    async fn get(&self, _: &K) -> Result<Option<CacheEntry<V>>, cachet::Error> {
        self.0.fetch_add(1, Relaxed);
        pending().await
    }

    async fn insert(&self, _: K, _: CacheEntry<V>) -> Result<InsertOutcome, cachet::Error> {
        Ok(InsertOutcome::Accepted)
    }

    async fn invalidate(&self, _: &K) -> Result<(), cachet::Error> {
        Ok(())
    }

    async fn clear(&self) -> Result<(), cachet::Error> {
        Ok(())
    }
}

/// Tasks that ask for one key, and the load that one of them begins.
struct Crowd {
    key: u64,
    tasks: u32,
    /// How many have to come before the load ends.
    awaited: u32,
    came: AtomicU32,
    answered: AtomicU32,
    gone: AtomicU32,
    loads: AtomicU32,
    all_gone: Notify,
}

impl Crowd {
    fn new(key: u64, tasks: u32, awaited: u32) -> Arc<Self> {
        let [came, answered, gone, loads] = std::array::from_fn(|_| AtomicU32::new(0));
        Arc::new(Crowd { key, tasks, awaited, came, answered, gone, loads, all_gone: Notify::new() })
    }

    /// Lets all ask, and waits until the last one has its answer.
    async fn run(self: Arc<Self>, cache: Arc<impl Asked<u64, u64>>) {
        for _ in 0..self.tasks {
            let (task, cache) = (Task(Arc::clone(&self)), Arc::clone(&cache));
            tokio::spawn(async move {
                let crowd = &task.0;
                crowd.came.fetch_add(1, Relaxed);
                if cache.ask(&crowd.key, Arc::clone(crowd).load()).await == !crowd.key {
                    crowd.answered.fetch_add(1, Relaxed);
                }
            });
        }
        self.all_gone.notified().await;
    }

    async fn load(self: Arc<Self>) -> u64 {
        self.loads.fetch_add(1, Relaxed);
        while self.came.load(Relaxed) < self.awaited {
            yield_now().await;
        }
        for _ in 0..FEW {
            yield_now().await;
        }
        !self.key
    }
}

/// A task of a crowd, which goes even if it panics: nobody is to wait for it for ever.
struct Task(Arc<Crowd>);

impl Drop for Task {
    fn drop(&mut self) {
        if self.0.gone.fetch_add(1, AcqRel) + 1 == self.0.tasks {
            self.0.all_gone.notify_one();
        }
    }
}

/// One contender's stampedes, of as many tasks as there are operations.
fn stampedes(name: String, cache: impl Asked<u64, u64>, all_wait: bool, runtime: &Runtime) -> Contender<'_> {
    let cache = Arc::new(cache);
    let mut key = 0;
    let crowd = move |tasks| {
        key += 1;
        Crowd::new(key, tasks, if all_wait { tasks } else { 0 })
    };
    Contender::of_batches(name, crowd, move |crowd| {
        let run = runtime.spawn(Arc::clone(crowd).run(Arc::clone(&cache)));
        runtime.block_on(run).expect("no panic");
        assert_eq!((crowd.loads.load(Relaxed), crowd.answered.load(Relaxed)), (1, crowd.tasks));
    })
}

fn stampede(group: &str, all_wait: bool) -> Value {
    let two = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime can be made");
    let contenders = contenders!(group, two, |name, cache| stampedes(name, cache, all_wait, &two));
    let timed = measure(contenders, ROUNDS, TASKS);
    // Allocations are counted for one thread, so all has to happen on that.
    let one = Builder::new_current_thread().build().expect("a runtime can be made");
    let contenders = contenders!(group, one, |name, cache| stampedes(name, cache, all_wait, &one));
    let counted = measure(contenders, 1, TASKS);
    let figures: Vec<_> = timed
        .into_iter()
        .zip(counted)
        .map(|(figure, Figure { allocations, .. })| Figure { allocations, ..figure })
        .collect();
    let total =
        |figure: &Figure| (figure.name.clone(), json!((figure.nanoseconds * f64::from(TASKS) / 1e3).round()));
    json!({
        "total_us": figures.iter().map(total).collect::<Map<_, _>>(),
        "a_task": report(&figures, &format!("{group}/quick_cache")),
    })
}

fn main() {
    let numbers = Subject::<u64, u64> { name: "u64 to u64", key: |n| n, value: |n| n };
    let texts = Subject::<str, Arc<str>> {
        name: "str to Arc",
        key: |n| format!("user:{n:018}"),
        value: |n| format!("countess {n}").into(),
    };
    let mut groups = Map::new();
    for (name, of_subject) in [(numbers.name, numbers.groups()), (texts.name, texts.groups())] {
        for (group, figures) in of_subject {
            groups.entry(group).or_insert_with(|| json!({}))[name] = figures;
        }
    }
    groups["stale_serve"]["left_out"] = json!("moka and quick_cache: they serve nothing stale");
    groups.insert("stampede/few_yields".into(), stampede("stampede/few_yields", false));
    groups.insert("stampede/all_wait".into(), stampede("stampede/all_wait", true));
    let all = json!({
        "bench": "load",
        "machine": machine(),
        "rounds": ROUNDS,
        "operations_a_round": { "load_on_hit": HITS, "miss_and_load": MISSES, "stale_serve": HITS, "stampede": TASKS },
        "groups": groups,
    });
    println!("{all:#}");
}
