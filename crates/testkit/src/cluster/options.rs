//! What a simulated cluster is like, and what may go wrong in it.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Something that may go wrong in a simulated cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Messages come seconds late: calls time out, and what they wrote lands afterwards.
    LateMessages,
    /// Messages are lost, before or after the operation was carried out.
    LostMessages,
    /// A node does not reach the shared store, the lower one, the bus, or any of them, for a while.
    Partitions,
    /// Messages on the bus are lost and doubled, and its connection is made again.
    Bus,
    /// Wall clocks are up to five seconds apart, drift and step.
    Clocks,
    /// A node crashes, and begins again with nothing.
    Crashes,
    /// A node stands still for a while, as by `SIGSTOP`.
    Pauses,
    /// The shared store loses everything.
    Flushes,
    /// The shared store begins again with what it had.
    Restarts,
    /// A replica of the shared store takes over, which lacks the last few writes.
    Failovers,
    /// The shared store loses marks of its log, and records stay.
    LostMarks,
    /// The shared store refuses connections for a while.
    Outages,
    /// The shared store evicts records.
    Evictions,
    /// The shared store loses its guards.
    LostGuards,
    /// Loads fail.
    FailedLoads,
}

impl Fault {
    /// All faults.
    pub const ALL: [Fault; 15] = [
        Fault::LateMessages,
        Fault::LostMessages,
        Fault::Partitions,
        Fault::Bus,
        Fault::Clocks,
        Fault::Crashes,
        Fault::Pauses,
        Fault::Flushes,
        Fault::Restarts,
        Fault::Failovers,
        Fault::LostMarks,
        Fault::Outages,
        Fault::Evictions,
        Fault::LostGuards,
        Fault::FailedLoads,
    ];
}

/// What a simulated cluster is like, and what it is judged by.
///
/// # Default
///
/// - nodes: 2 to 4
/// - steps: 30 to 200
/// - faults: all; each seed has about half of them
/// - bound: 1 s
/// - calls: for one key each
///
/// # Examples
///
/// ```
/// use larder_testkit::cluster::{ClusterOptions, Fault};
///
/// let calm = ClusterOptions::new().nodes(1..=1).faults(&[Fault::Clocks, Fault::Evictions]);
/// assert_ne!(calm, ClusterOptions::default());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "options do nothing until a cluster is made of them"]
pub struct ClusterOptions {
    pub(crate) nodes: RangeInclusive<usize>,
    pub(crate) steps: RangeInclusive<usize>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) bound: Option<Duration>,
    pub(crate) in_bulk: bool,
}

impl ClusterOptions {
    /// Makes the options of a cluster with everything in it.
    pub fn new() -> Self {
        ClusterOptions {
            nodes: 2..=4,
            steps: 30..=200,
            faults: Fault::ALL.to_vec(),
            bound: Some(Duration::from_secs(1)),
            in_bulk: false,
        }
    }

    /// Has so many nodes; the seed chooses.
    ///
    /// # Panics
    ///
    /// If there may be none.
    #[track_caller]
    pub fn nodes(mut self, nodes: RangeInclusive<usize>) -> Self {
        assert!(*nodes.start() > 0 && !nodes.is_empty(), "a cluster has at least one node");
        self.nodes = nodes;
        self
    }

    /// Takes so many steps; the seed chooses. One is a read, or the change of a row and what makes it good.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    #[track_caller]
    pub fn steps(mut self, steps: RangeInclusive<usize>) -> Self {
        assert!(!steps.is_empty(), "a range of steps begins with the smaller number");
        self.steps = steps;
        self
    }

    /// Has these faults, and no others. Each seed has about half of them.
    pub fn faults(mut self, faults: &[Fault]) -> Self {
        self.faults = faults.to_vec();
        self
    }

    /// Has all faults but these.
    pub fn without(mut self, faults: &[Fault]) -> Self {
        self.faults.retain(|fault| !faults.contains(fault));
        self
    }

    /// Makes calls for several keys at once, wherever there is such a call: `load_many` in place of `get_or_load`.
    pub fn in_bulk(mut self) -> Self {
        self.in_bulk = true;
        self
    }

    /// Allows other processes to serve what was invalidated for `span` from their first level.
    pub fn bound(mut self, span: Duration) -> Self {
        self.bound = Some(span);
        self
    }

    /// Does not look at invalidations: only at whether what is read is true, and whether every call ends.
    pub fn ignoring_invalidations(mut self) -> Self {
        self.bound = None;
        self
    }
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self::new()
    }
}
