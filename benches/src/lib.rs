//! What the benches share: rounds in which contenders take turns, and figures as JSON.
//!
//! The machine they run on is shared and noisy, so contenders run in one process, one short batch each, round after
//! round, and the median of the rounds is reported: whatever disturbs one disturbs its neighbours in the round. Ratios
//! within one run are worth something; nanoseconds of two runs are not comparable. Criterion measures its contenders one
//! after the other, minutes apart, which is why it is not used.

use serde_json::{Value, json};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Something that is measured: a name, and a batch of operations.
pub struct Contender<'a> {
    name: String,
    batch: Box<dyn FnMut(u32, Meter<'_>) + 'a>,
}

/// Runs the work it is given and measures it, which what prepares the work and clears up after it is not.
type Meter<'m> = &'m mut dyn FnMut(&mut dyn FnMut());

impl<'a> Contender<'a> {
    /// Makes a contender of one operation, which is given a running number. Its result is kept from the optimiser.
    pub fn new<R>(name: impl Into<String>, mut operation: impl FnMut(u32) -> R + 'a) -> Self {
        let batch = move |operations, meter: Meter<'_>| {
            meter(&mut || {
                for number in 0..operations {
                    black_box(operation(black_box(number)));
                }
            });
        };
        Contender { name: name.into(), batch: Box::new(batch) }
    }

    /// Makes a contender whose batches are measured as a whole. `run` does as many operations as `prepare` is asked
    /// for, with what that made.
    pub fn of_batches<T>(
        name: impl Into<String>,
        mut prepare: impl FnMut(u32) -> T + 'a,
        mut run: impl FnMut(&T) + 'a,
    ) -> Self {
        let batch = move |operations, meter: Meter<'_>| {
            let prepared = prepare(operations);
            meter(&mut || run(black_box(&prepared)));
        };
        Contender { name: name.into(), batch: Box::new(batch) }
    }
}

impl std::fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What was measured of one contender.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The contender.
    pub name: String,
    /// The median of the rounds, for one operation.
    pub nanoseconds: f64,
    /// Allocations of one operation, by the thread that measures.
    pub allocations: f64,
}

/// Runs the contenders in turn for `rounds` rounds of `operations` each, after two rounds to warm up.
pub fn measure(mut contenders: Vec<Contender<'_>>, rounds: usize, operations: u32) -> Vec<Figure> {
    let mut times: Vec<Vec<Duration>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds + 2 {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            (contender.batch)(operations, &mut |work| {
                let start = now();
                work();
                let time = now() - start;
                if round >= 2 {
                    times.push(time);
                }
            });
        }
    }
    contenders
        .iter_mut()
        .zip(times)
        .map(|(contender, mut times)| {
            times.sort();
            let per_operation = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(operations);
            let mut allocations = 0;
            (contender.batch)(1_000, &mut |work| allocations = allocation_counter::measure(work).count_total);
            Figure {
                name: contender.name.clone(),
                nanoseconds: per_operation(times[times.len() / 2]),
                allocations: f64::from(u32::try_from(allocations).unwrap_or(u32::MAX)) / 1_000.0,
            }
        })
        .collect()
}

/// Returns the figures as JSON, each with its ratio to the one named `base`.
///
/// # Panics
///
/// If no figure has that name.
pub fn report(figures: &[Figure], base: &str) -> Value {
    let base = figures.iter().find(|figure| figure.name == base).expect("the base is one of the contenders");
    let rows = figures.iter().map(|figure| {
        json!({
            "name": figure.name,
            "ns": round(figure.nanoseconds, 10.0),
            "over_base_ns": round(figure.nanoseconds - base.nanoseconds, 10.0),
            "ratio": round(figure.nanoseconds / base.nanoseconds, 100.0),
            "allocations": figure.allocations,
        })
    });
    json!({ "base": base.name, "figures": rows.collect::<Vec<_>>() })
}

/// Returns what is to be known about the machine.
pub fn machine() -> Value {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    json!({
        "cpu": model.trim_start_matches(['\t', ' ', ':']),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "load": std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next(),
    })
}

/// Returns what a future that does not wait gives.
///
/// # Panics
///
/// If it waits.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn round(number: f64, scale: f64) -> f64 {
    (number * scale).round() / scale
}

/// Reads the clock, for what [`measure`] cannot measure.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub fn now() -> Instant {
    Instant::now()
}
