//! What came of it.

use crate::callers::Calls;
use crate::options::Options;
use larder::Stats;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

pub(crate) struct Report {
    pub(crate) options: Options,
    pub(crate) calls: Arc<Calls>,
    pub(crate) loads: u64,
    /// Reads that the server answered after its last return.
    pub(crate) hits_after: u64,
    pub(crate) stats: Stats,
}

impl Report {
    pub(crate) fn is_good(&self) -> bool {
        let calls = &self.calls;
        calls.wrong.load(Relaxed) == 0 && calls.lost.load(Relaxed) == 0 && self.hits_after > 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (calls, Options { server, seconds, outages, .. }) = (&self.calls, &self.options);
        writeln!(f, "{server:?}, {seconds} s, killed and restarted {outages} times")?;
        writeln!(f, "{}", self.stats)?;
        writeln!(f, "reads                      {:>12}", calls.reads.load(Relaxed))?;
        writeln!(f, "loads                      {:>12}", self.loads)?;
        writeln!(f, "changes                    {:>12}", calls.changes.load(Relaxed))?;
        writeln!(f, "removals that were retried {:>12}", calls.failed_removals.load(Relaxed))?;
        writeln!(f, "server's hits afterwards   {:>12}", self.hits_after)?;
        let slowest = Duration::from_nanos(calls.slowest_ns.load(Relaxed));
        writeln!(f, "slowest read               {:>12}", format!("{:.0} ms", 1e3 * slowest.as_secs_f64()))?;
        writeln!(f, "wrong values               {:>12}", calls.wrong.load(Relaxed))?;
        write!(f, "lost loads                 {:>12}", calls.lost.load(Relaxed))
    }
}
