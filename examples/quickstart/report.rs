//! What the reader of the output sees.

use crate::database::{CONNECTIONS, Product, SIMULATED};
use crate::folder::Folder;
use crate::options::Options;
use crate::replay::Replayed;
use indicatif::HumanCount;
use larder::{Cache, Stats};

/// One column of the table.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) replayed: Replayed,
    /// How many queries the database had to answer.
    pub(crate) queries: u64,
    /// What the cache counted, where there is one.
    pub(crate) stats: Option<Stats>,
}

pub(crate) fn introduce(options: &Options, folder: &Folder, cache: &Cache<u64, Product>) {
    let Options { requests, clients, .. } = options;
    println!(
        "{} recorded requests of a web shop, sent by {clients} clients at once.",
        count(*requests as u64)
    );
    println!(
        "Each sends its next request when it has its answer: faster answers bring more requests a second.\n"
    );
    println!("Database: {}", folder.database().display());
    println!(
        "- each query takes {} ms of SIMULATED disk and network time beside its own",
        SIMULATED.as_millis()
    );
    println!(
        "- {CONNECTIONS} connections; clients beyond that number wait for a free one, as in a real pool"
    );
    println!("\n{cache:?}");
}

/// Says what the cache finds on disk, and returns what to call such a start.
pub(crate) fn explain_start(found: usize, wanted: usize) -> &'static str {
    println!();
    if found == 0 {
        println!("Cold start: the cache has nothing, in memory or on disk.");
        return "larder, cold";
    }
    let (found, all) = (count(found as u64), found >= wanted);
    println!(
        "Warm start: memory is empty, but an earlier run of this program left {found} products on disk."
    );
    if all { "larder, warm" } else { "larder, partly warm" }
}

pub(crate) fn explain_restart() {
    println!("\nRestart: a new cache over the same folder, so memory is empty and the disk is not.");
}

pub(crate) fn conclude(folder: &Folder) {
    println!("\nThe next run of this program starts warm, from {}.", folder.cache().display());
    println!("With `-- --clean` it starts over.");
}

/// Prints the database alone beside the database behind larder.
pub(crate) fn compare(alone: &Column, cached: &Column) {
    let line = |name: &str, left: &str, right: &str| println!("{name:32}{left:>20}{right:>20}");
    let both = |name: &str, cell: &dyn Fn(&Column) -> String| line(name, &cell(alone), &cell(cached));

    println!();
    line("", alone.title, cached.title);
    both("requests", &|column| count(column.requests()));
    if let Some(stats) = &cached.stats {
        for level in &stats.levels {
            line(&format!("  hits in {}", level.name), "-", &count(level.fresh_hits + level.stale_hits));
        }
        line("  joined another's look or load", "-", &count(stats.joins));
    }
    both("  database queries", &|column| count(column.queries));
    both("wrong answers", &|column| count(column.replayed.wrong as u64));
    for (name, share) in [("latency p50", 0.5), ("latency p99", 0.99), ("latency p999", 0.999)] {
        both(name, &|column| format!("{:.1?}", column.replayed.percentile(share)));
    }
    both("requests per second", &|column| rate(column.replayed.per_second(column.requests())));
    both("database queries per second", &|column| rate(column.replayed.per_second(column.queries)));
    both("time", &|column| format!("{:.1?}", column.replayed.took));
    println!(
        "For the same 1,000 requests the database has {} queries alone, and {} behind larder.",
        alone.queries_per_thousand(),
        cached.queries_per_thousand()
    );
}

impl Column {
    fn requests(&self) -> u64 {
        self.replayed.latencies.len() as u64
    }

    fn queries_per_thousand(&self) -> String {
        count((1_000 * self.queries).div_ceil(self.requests().max(1)))
    }
}

fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded for people; never negative"
)]
fn rate(per_second: f64) -> String {
    count(per_second.round() as u64)
}
