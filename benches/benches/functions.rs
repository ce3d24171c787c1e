//! What a hit of a cached function costs, beside the same cache asked by hand and beside `cached` 4.1. JSON to stdout, a table
//! to stderr.
//!
//! `cargo bench -p larder-benches --bench functions`
//!
//! *By hand* is what a person would write: a `static` cache, a look, and a load behind it. The table also has what a hit
//! of a decorated function takes in the Python libraries that larder is to replace, as their own benchmarks tell on the
//! kind of machine that these figures are of; they are not measured here.

use larder::prelude::*;
use larder::{Memory, Native};
use larder_benches::{Contender, Figure, at_once, machine, measure, report};
use serde_json::{Value, json};
use std::sync::LazyLock;

const ROUNDS: usize = 401;
const HITS: u32 = 10_000;
/// So many keys, all of which are there.
const KEYS: u64 = 100;

/// A hit of a decorated function in `CPython` 3.11, in nanoseconds, the best of six runs of 25 repetitions.
const PYTHON: [(&str, &str, f64); 8] = [
    ("advanced-caching 1.0.0", "static key", 181.0),
    ("advanced-caching 1.0.0", "async, static key", 231.0),
    ("advanced-caching 1.0.0", "lambda as key", 284.0),
    ("advanced-caching 1.0.0", "template with a name", 833.0),
    ("advanced-caching 1.0.0", "stale while revalidate", 396.0),
    ("cachestack 0.1.0", "@cached, async", 759.0),
    ("async-cache 2.0.3", "AsyncLRU", 3_163.0),
    ("simple-dep-cache 0.2.0", "decorator over its fake", 3_284.0),
];

type Own<K, V> = LazyLock<Cache<K, V, Memory<K, V>, Native>>;

mod by_hand {
    use super::{Cache, LazyLock, Memory, Own, hours};

    static NUMBERS: Own<u64, u64> = LazyLock::new(|| Cache::new(Memory::new(10_000)).ttl(hours(1)));
    static TEXTS: Own<str, u64> = LazyLock::new(|| Cache::new(Memory::new(10_000)).ttl(hours(1)));
    static PAIRS: Own<(u64, u32), u64> = LazyLock::new(|| Cache::new(Memory::new(10_000)).ttl(hours(1)));
    static MIXED: Own<(String, u32), u64> = LazyLock::new(|| Cache::new(Memory::new(10_000)).ttl(hours(1)));
    static ONE: Own<(), u64> = LazyLock::new(|| Cache::new(Memory::new(10_000)).ttl(hours(1)));

    pub(super) fn number(id: u64) -> u64 {
        match NUMBERS.get_now(&id) {
            Some(value) => value,
            None => NUMBERS.blocking().get_or_insert_with(&id, || id + 1),
        }
    }

    pub(super) async fn later(id: u64) -> u64 {
        match NUMBERS.get_now(&id) {
            Some(value) => value,
            None => NUMBERS.get_or_insert_with(&id, async move || id + 1).await,
        }
    }

    pub(super) fn text(name: &str) -> u64 {
        match TEXTS.get_now(name) {
            Some(value) => value,
            None => TEXTS.blocking().get_or_insert_with(name, || name.len() as u64),
        }
    }

    pub(super) fn pair(id: u64, page: u32) -> u64 {
        let key = (id, page);
        match PAIRS.get_now(&key) {
            Some(value) => value,
            None => PAIRS.blocking().get_or_insert_with(&key, || id + u64::from(page)),
        }
    }

    pub(super) fn mixed(name: &str, page: u32) -> u64 {
        let key = (name.to_owned(), page);
        match MIXED.get_now(&key) {
            Some(value) => value,
            None => MIXED.blocking().get_or_insert_with(&key, || name.len() as u64 + u64::from(page)),
        }
    }

    pub(super) fn one() -> u64 {
        match ONE.get_now(&()) {
            Some(value) => value,
            None => ONE.blocking().get_or_insert_with(&(), || 7),
        }
    }
}

mod larders {
    use larder::cached;

    #[cached(ttl = "1h")]
    pub(super) fn number(id: u64) -> u64 {
        id + 1
    }

    #[cached(ttl = "1h")]
    pub(super) async fn later(id: u64) -> u64 {
        id + 1
    }

    #[cached(ttl = "1h", stale = "1h")]
    pub(super) fn stale(id: u64) -> u64 {
        id + 1
    }

    #[cached(ttl = "1h", key = |id| id % 1_000)]
    pub(super) fn closure(id: u64) -> u64 {
        id + 1
    }

    #[cached(ttl = "1h")]
    pub(super) fn text(name: &str) -> u64 {
        name.len() as u64
    }

    #[cached(ttl = "1h", key = "{id}:{page}")]
    pub(super) fn pair(id: u64, page: u32) -> u64 {
        id + u64::from(page)
    }

    #[cached(ttl = "1h", key = "{name}:{page}")]
    pub(super) fn mixed(name: &str, page: u32) -> u64 {
        name.len() as u64 + u64::from(page)
    }

    #[cached(ttl = "1h", key = "{name}:{page:03}")]
    pub(super) fn formatted(name: &str, page: u32) -> u64 {
        name.len() as u64 + u64::from(page)
    }

    #[cached(ttl = "1h")]
    pub(super) fn one() -> u64 {
        7
    }
}

/// The peer.
#[allow(clippy::unused_async, reason = "it is the cost of an async function that is measured")]
mod peers {
    use cached::macros::{cached, concurrent_cached};

    #[cached(max_size = 10_000, ttl_secs = 3_600)]
    pub(super) fn number(id: u64) -> u64 {
        id + 1
    }

    #[cached(max_size = 10_000, ttl_secs = 3_600)]
    pub(super) async fn later(id: u64) -> u64 {
        id + 1
    }

    #[concurrent_cached(max_size = 10_000, ttl_secs = 3_600)]
    pub(super) fn concurrent(id: u64) -> u64 {
        id + 1
    }

    #[cached(max_size = 10_000, ttl_secs = 3_600, key = "String", convert = r#"{ name.to_owned() }"#)]
    pub(super) fn text(name: &str) -> u64 {
        name.len() as u64
    }

    #[concurrent_cached(
        max_size = 10_000,
        ttl_secs = 3_600,
        key = "String",
        convert = r#"{ name.to_owned() }"#
    )]
    pub(super) fn concurrent_text(name: &str) -> u64 {
        name.len() as u64
    }

    #[cached(max_size = 10_000, ttl_secs = 3_600)]
    pub(super) fn pair(id: u64, page: u32) -> u64 {
        id + u64::from(page)
    }

    #[concurrent_cached(max_size = 10_000, ttl_secs = 3_600)]
    pub(super) fn concurrent_pair(id: u64, page: u32) -> u64 {
        id + u64::from(page)
    }

    #[cached(max_size = 10_000, ttl_secs = 3_600)]
    pub(super) fn one() -> u64 {
        7
    }
}

fn id(number: u32) -> u64 {
    u64::from(number) % KEYS
}

fn subject(name: &str, contenders: Vec<Contender<'_>>) -> (String, Value) {
    let figures = measure(contenders, ROUNDS, HITS);
    print(name, &figures);
    (name.to_owned(), report(&figures, &figures[0].name))
}

fn print(name: &str, figures: &[Figure]) {
    eprintln!("\n{name:<44} {:>8} {:>12} {:>12}", "ns a hit", "over by hand", "allocations");
    for Figure { name, nanoseconds, allocations } in figures {
        let over = nanoseconds - figures[0].nanoseconds;
        eprintln!("{name:<44} {nanoseconds:>8.1} {over:>+12.1} {allocations:>12.2}");
    }
}

fn main() {
    let names: Vec<String> = (0..KEYS).map(|number| format!("customer-{number}")).collect();
    let name = |number: u32| names[usize::try_from(id(number)).expect("there are few")].as_str();
    let subjects = [
        subject(
            "u64",
            vec![
                Contender::new("functions/u64/by_hand", |n| by_hand::number(id(n))),
                Contender::new("functions/u64/larder", |n| larders::number(id(n))),
                Contender::new("functions/u64/larder_stale", |n| larders::stale(id(n))),
                Contender::new("functions/u64/larder_closure", |n| larders::closure(id(n))),
                Contender::new("functions/u64/cached", |n| peers::number(id(n))),
                Contender::new("functions/u64/concurrent_cached", |n| peers::concurrent(id(n))),
            ],
        ),
        subject(
            "u64, async",
            vec![
                Contender::new("functions/async/by_hand", |n| at_once(by_hand::later(id(n)))),
                Contender::new("functions/async/larder", |n| at_once(larders::later(id(n)))),
                Contender::new("functions/async/cached", |n| at_once(peers::later(id(n)))),
            ],
        ),
        subject(
            "&str",
            vec![
                Contender::new("functions/str/by_hand", |n| by_hand::text(name(n))),
                Contender::new("functions/str/larder", |n| larders::text(name(n))),
                Contender::new("functions/str/cached", |n| peers::text(name(n))),
                Contender::new("functions/str/concurrent_cached", |n| peers::concurrent_text(name(n))),
            ],
        ),
        subject(
            "(u64, u32)",
            vec![
                Contender::new("functions/pair/by_hand", |n| by_hand::pair(id(n), 7)),
                Contender::new("functions/pair/larder", |n| larders::pair(id(n), 7)),
                Contender::new("functions/pair/cached", |n| peers::pair(id(n), 7)),
                Contender::new("functions/pair/concurrent_cached", |n| peers::concurrent_pair(id(n), 7)),
            ],
        ),
        subject(
            "(&str, u32)",
            vec![
                Contender::new("functions/mixed/by_hand", |n| by_hand::mixed(name(n), 7)),
                Contender::new("functions/mixed/larder", |n| larders::mixed(name(n), 7)),
                Contender::new("functions/mixed/larder_formatted", |n| larders::formatted(name(n), 7)),
            ],
        ),
        subject(
            "no arguments",
            vec![
                Contender::new("functions/one/by_hand", |_| by_hand::one()),
                Contender::new("functions/one/larder", |_| larders::one()),
                Contender::new("functions/one/cached", |_| peers::one()),
            ],
        ),
    ];
    eprintln!("\nin Python, not measured here{:<28} ns a hit", "");
    for (library, what, nanoseconds) in PYTHON {
        eprintln!("{library:<24} {what:<28} {nanoseconds:>9.0}");
    }
    let python: Vec<_> = PYTHON
        .iter()
        .map(|(library, what, ns)| json!({ "library": library, "what": what, "ns": ns }))
        .collect();
    let all = json!({
        "bench": "functions",
        "machine": machine(),
        "rounds": ROUNDS,
        "hits_a_round": HITS,
        "subjects": Value::Object(subjects.into_iter().collect()),
        "python": python,
    });
    println!("{all:#}");
}
