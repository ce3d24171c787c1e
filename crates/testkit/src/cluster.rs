//! A simulated cluster: several processes with a cache each, on stores, a log, a bus and clocks that misbehave as a
//! seed says.
//!
//! What runs is the real cache. What is simulated is what it is built on: [`Seams`] has a clock, a memory, a shared store
//! with its log of invalidations, a lower store without one, and a bus for each process. Time is virtual, a run of some
//! two hundred calls takes milliseconds, and the same seed gives the same run, event for event.
//!
//! ```text
//!  seed ── script: who reads, writes, invalidates, and when; what goes wrong
//!    │
//!    └──── network: how long each message takes, which are lost
//!
//!  node 0 ── cache ── memory                         all of it in one thread: the next event
//!               └──── network ──▶ shared store, log  is the next in virtual time, and each
//!  node 1 ── cache ──    "    ──▶ lower store        node's tasks run until they wait
//!    ..                  "    ──▶ bus
//! ```
//!
//! Writers change rows of a database, and then invalidate what is made from them; readers load pages from rows, which takes a while.
//! Everything is recorded, and judged at the end: no process serves what was invalidated, from its first level
//! for longer than the bound, and else not at all; no page is another key's or made up; every call ends when
//! the faults do. A [`Violation`] tells the story of the key.
//!
//! # Your own cache
//!
//! [`Cluster::of`] takes a closure that assembles the cache of a process, with your levels, lives and strategies, from
//! its seams:
//!
//! ```
//! use larder_core::Cache;
//! use larder_testkit::cluster::{Cluster, ClusterOptions, Pages, Seams};
//! use std::time::Duration;
//!
//! let cluster = Cluster::of(ClusterOptions::new().nodes(1..=1).faults(&[]), |seams: &Seams| {
//!     Cache::new(seams.memory())
//!         .ttl(Duration::from_secs(5))
//!         .chain(Cache::new(seams.shared()).codec(Pages))
//!         .ttl(Duration::from_secs(60))
//!         .clock(seams.clock())
//!         .seed(seams.seed())
//!         .boxed()
//! });
//! let report = cluster.run_all(0..20).unwrap();
//! assert_eq!(report.runs, 20);
//! assert!(report.answered > report.loads, "some reads were hits");
//! ```
//!
//! A seed that fails is run again alone with [`Cluster::run`], and made shorter with [`Cluster::shrink`].
//!
//! # Layout
//!
//! - the world: `random`, `agenda` (time and what is due), `network`, `world`, `database`, `history`
//! - what is shared: `shared_server` and `log_state` behind `shared_store`, `lower_store`, `bus`
//! - a node: `node_clock`, `memory`, `seams`, `process`, `rest`; what is cached: `page`
//! - a run: `options`, `script`, `troubles`, `operations` and `in_bulk` (the only files that call the cache), `run`
//! - what comes of it: `checker`, `violation`, `report`, `shrink`

mod agenda;
mod bus;
mod checker;
mod database;
mod history;
mod in_bulk;
#[cfg(test)]
mod live;
mod log_state;
mod lower_store;
mod memory;
mod network;
mod node_clock;
mod operations;
mod options;
mod page;
#[doc(hidden)]
pub mod planted;
mod process;
mod random;
mod report;
mod rest;
mod run;
mod script;
mod seams;
mod shared_server;
mod shared_store;
mod shrink;
mod troubles;
mod violation;
mod world;

pub use bus::NodeBus;
pub use lower_store::LowerStore;
pub use memory::NodeMemory;
pub use node_clock::NodeClock;
pub use options::{ClusterOptions, Fault};
pub use page::{Page, Pages};
pub use report::Report;
pub use seams::Seams;
pub use shared_store::SharedStore;
pub use violation::{Violation, ViolationKind};

use checker::Promises;
use larder_core::Cache;
use parking_lot::Mutex;
use process::Assemble;
use script::Script;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;

/// A simulated cluster, see [the module](crate::cluster).
pub struct Cluster {
    options: ClusterOptions,
    assemble: Box<Assemble>,
}

/// How many runs it may take to make a script shorter.
const MOST_TRIES: usize = 2_000;

impl Cluster {
    /// Makes a cluster whose caches are assembled as each seed says: with a memory in front or not, with one level or
    /// two behind it, written behind or not, with lives and windows of all lengths.
    pub fn new(options: ClusterOptions) -> Self {
        Self::of(options, operations::assemble)
    }

    /// Makes a cluster with caches of your own. `assemble` is called for each process, in its runtime; what it decides
    /// by chance must depend on the [seed](Seams::seed) alone.
    pub fn of(
        options: ClusterOptions,
        assemble: impl Fn(&Seams) -> Cache<u64, Page> + Send + Sync + 'static,
    ) -> Self {
        Cluster { options, assemble: Box::new(assemble) }
    }

    /// Runs one seed, on this thread.
    ///
    /// # Errors
    ///
    /// The first promise that was broken.
    ///
    /// # Panics
    ///
    /// Within a runtime: it has runtimes of its own. Run it in a usual `#[test]`.
    pub fn run(&self, seed: u64) -> Result<Report, Box<Violation>> {
        self.play(&Script::of(seed, &self.options))
    }

    /// Runs many seeds, on all cores, and adds up what they came to.
    ///
    /// # Errors
    ///
    /// The violation of the smallest seed that has one.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    pub fn run_all(&self, seeds: Range<u64>) -> Result<Report, Box<Violation>> {
        let (next, found) =
            (AtomicU64::new(seeds.start), Mutex::new((Report::default(), None::<Box<Violation>>)));
        let work = || loop {
            let seed = next.fetch_add(1, SeqCst);
            // Seeds are handed out in order, so when one has failed all smaller ones are under way.
            if seed >= seeds.end || found.lock().1.is_some() {
                return;
            }
            let ran = self.run(seed);
            let (sum, violation) = &mut *found.lock();
            match ran {
                Ok(report) => sum.add(report),
                Err(new) if violation.as_ref().is_none_or(|old| new.seed() < old.seed()) => {
                    *violation = Some(new);
                }
                Err(_) => {}
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let (sum, violation) = found.into_inner();
        violation.map_or(Ok(sum), Err)
    }

    /// Runs a seed that fails with fewer and fewer steps and faults, and returns the violation of the shortest run that
    /// fails in the same way; `None` if the seed does not fail.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    pub fn shrink(&self, seed: u64) -> Option<Box<Violation>> {
        let script = Script::of(seed, &self.options);
        let whole = self.play(&script).err()?;
        let fails =
            |script: &Script| self.play(script).is_err_and(|violation| violation.kind() == whole.kind());
        let smallest = shrink::shrink(&script, MOST_TRIES, fails);
        self.play(&smallest).err()
    }

    fn play(&self, script: &Script) -> Result<Report, Box<Violation>> {
        let ran = run::run(script, &*self.assemble, &Promises { bound: self.options.bound });
        match &ran.verdict {
            Ok(()) => Ok(Report::of(&ran)),
            Err(wrong) => Err(Box::new(Violation::of(script, &ran, wrong))),
        }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("options", &self.options).finish_non_exhaustive()
    }
}
