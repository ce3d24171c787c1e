//! What it costs to read a value that a schedule keeps fresh, beside the pointer of `arc-swap` that it is held by: by one
//! thread, and by two at once. JSON to stdout, the same as a table to stderr.
//!
//! `cargo bench -p larder-benches --bench refreshed`
//!
//! Nanoseconds are those of a read by each thread. A `u64` is copied out of what is shared; cloning an `Arc` writes to its
//! counter, and so does `load_full`: two threads then wait for each other's cache line, whoever hands the value out.

use arc_swap::ArcSwap;
use larder::Codec;
use larder::prelude::*;
use larder_benches::{Figure, machine, now, report};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::future::ready;
use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;

const ROUNDS: usize = 801;
/// So few that threads which have begun together mostly end together, also where others want their cores.
const READS: u32 = 50_000;
const BASE: &str = "refreshed/arc_swap/load_and_clone";
const KEY: &str = "rates";

/// Something that is read.
struct Contender<'a> {
    name: &'static str,
    /// How long a thread takes for all reads of a round, once all the threads are there.
    round: Box<dyn Fn(&Start, u32) -> Duration + Sync + 'a>,
}

impl<'a> Contender<'a> {
    fn new<R>(name: &'static str, read: impl Fn() -> R + Sync + 'a) -> Self {
        let round = move |start: &Start, reads: u32| {
            start.wait();
            let begin = now();
            for _ in 0..reads {
                black_box(read());
            }
            now() - begin
        };
        Contender { name, round: Box::new(round) }
    }

    /// The nanoseconds of a read, while so many threads read: the mean of the threads.
    fn nanoseconds(&self, threads: u32) -> f64 {
        let start = Start::of(threads);
        let total: Duration = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| (self.round)(&start, READS))).collect();
            let own = (self.round)(&start, READS);
            others
                .into_iter()
                .map(|other| other.join().expect("reading does not panic"))
                .fold(own, |a, b| a + b)
        });
        total.as_secs_f64() * 1e9 / f64::from(READS) / f64::from(threads)
    }

    fn allocations(&self) -> f64 {
        let reads = || _ = black_box((self.round)(&Start::of(1), 1_000));
        let count = allocation_counter::measure(reads).count_total;
        f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / 1_000.0
    }
}

/// Where threads wait for each other. They spin: to be woken takes as long as thousands of reads.
struct Start(AtomicU32);

impl Start {
    fn of(threads: u32) -> Self {
        Start(AtomicU32::new(threads))
    }

    fn wait(&self) {
        self.0.fetch_sub(1, SeqCst);
        while self.0.load(SeqCst) > 0 {
            spin_loop();
        }
    }
}

/// The contenders in turn, round after round, with so many threads each.
fn measure(contenders: &[Contender<'_>], threads: u32) -> Vec<Figure> {
    let mut nanos = vec![Vec::new(); contenders.len()];
    for round in 0..ROUNDS + 2 {
        for (contender, nanos) in contenders.iter().zip(&mut nanos) {
            let nanoseconds = contender.nanoseconds(threads);
            // The first two are to warm up.
            if round >= 2 {
                nanos.push(nanoseconds);
            }
        }
    }
    let figure = |(contender, mut nanos): (&Contender<'_>, Vec<f64>)| {
        nanos.sort_by(f64::total_cmp);
        let allocations = contender.allocations();
        Figure { name: contender.name.to_owned(), nanoseconds: nanos[nanos.len() / 2], allocations }
    };
    contenders.iter().zip(nanos).map(figure).collect()
}

/// All of a type of values. `C` is for the bytes that are mirrored.
fn subject<V, C>(runtime: &Runtime, name: &str, value: &V, codec: C) -> (String, Value)
where
    V: Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static,
    C: Codec<V>,
{
    let raw = ArcSwap::from_pointee(value.clone());
    let memory = || Cache::new(Memory::<str, V>::new(100)).ttl(hours(1));
    let (plain, tagged) = (memory(), memory().tags(|_, _| ["a", "b", "c", "d"]));
    let shared =
        Cache::<str, _, _, _>::new(Object::in_memory()).codec(codec).tags(|_, _| ["a", "b", "c", "d"]);
    let (first, second) = (value.clone(), value.clone());
    let begin = async {
        let refreshed = plain.refresh_every(hours(1), KEY, move || ready(Ok::<_, Infallible>(first.clone())));
        let tagged = tagged.refresh_every(hours(1), KEY, move || ready(Ok::<_, Infallible>(second.clone())));
        shared.insert(KEY, value.clone()).await.expect("memory takes everything");
        let mirror = shared.mirror(KEY, hours(1));
        assert_eq!(refreshed.ready().await.as_ref().ok(), Some(value));
        assert_eq!(tagged.ready().await.as_ref().ok(), Some(value));
        assert_eq!(mirror.ready().await.expect("memory answers").as_ref(), Some(value));
        (refreshed, tagged, mirror)
    };
    let (refreshed, with_tags, mirror) = runtime.block_on(begin);
    let (reader, of_mirror) = (refreshed.reader(), mirror.reader());
    let contenders = [
        Contender::new(BASE, || V::clone(&raw.load())),
        Contender::new("refreshed/arc_swap/load_full", || raw.load_full()),
        Contender::new("refreshed/refreshed_get", || refreshed.get().expect("present")),
        Contender::new("refreshed/reader_get", || reader.get().expect("present")),
        Contender::new("refreshed/refreshed_get_4_tags", || with_tags.get().expect("present")),
        Contender::new("refreshed/reader_get_of_a_mirror_4_tags", || of_mirror.get().expect("present")),
        Contender::new("refreshed/cache_get_now", || plain.get_now(KEY).expect("present")),
    ];
    let (one, two) = (measure(&contenders, 1), measure(&contenders, 2));
    print(name, &one, &two);
    (name.to_owned(), json!({ "1 thread": report(&one, BASE), "2 threads": report(&two, BASE) }))
}

fn print(name: &str, one: &[Figure], two: &[Figure]) {
    eprintln!(
        "\nns a read of {name:<40} {:>9} {:>8} {:>10} {:>8}",
        "1 thread", "ratio", "2 threads", "ratio"
    );
    for (alone, beside) in one.iter().zip(two) {
        let ratio = |figure: &Figure, base: &[Figure]| figure.nanoseconds / base[0].nanoseconds;
        let (ns, ratio) = ((alone.nanoseconds, beside.nanoseconds), (ratio(alone, one), ratio(beside, two)));
        eprintln!("{:<53} {:>9.1} {:>8.2} {:>10.1} {:>8.2}", alone.name, ns.0, ratio.0, ns.1, ratio.1);
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    let text = Arc::new("countess".to_owned());
    let subjects = [
        subject(&runtime, "u64", &7_u64, Json),
        subject(&runtime, "Arc<String>, a shared counter", &text, larder::Shared(Json)),
    ];
    let all = json!({
        "bench": "refreshed",
        "machine": machine(),
        "rounds": ROUNDS,
        "reads_a_round": READS,
        "subjects": Value::Object(subjects.into_iter().collect()),
    });
    println!("{all:#}");
}
