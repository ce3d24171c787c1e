//! How a group follows a shared log.

use super::state::State;
use super::{Coherence, Shared};
use crate::shared_log::SharedLog;
use crate::{Bus, ByteStore, Clock, Error, ErrorKind, Result, SystemClock, Time};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a group follows the log of invalidations that processes share: [`Coherence::options`].
///
/// # Examples
///
/// ```
/// use larder_core::{Cache, Coherence, ErrorKind};
/// use larder_testkit::FakeBytes;
/// use std::time::Duration;
///
/// let error = Coherence::options().bound(Duration::from_millis(500)).over(&FakeBytes::new()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unsupported);
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until a group is made with them"]
pub struct CoherenceOptions {
    bound: Duration,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    buses: Vec<Arc<dyn Bus>>,
}

impl Default for CoherenceOptions {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        CoherenceOptions { bound: second, timeout: second, clock: Arc::new(SystemClock), buses: Vec::new() }
    }
}

impl CoherenceOptions {
    /// Sets for how long a copy in memory may be served that another process has invalidated: after this long without a
    /// word from the log a hit asks it first. With a [`bus`](Self::bus) most are gone much earlier. Zero asks for each hit.
    ///
    /// # Default
    ///
    /// 1 s.
    pub fn bound(mut self, bound: Duration) -> Self {
        self.bound = bound;
        self
    }

    /// Sets how long the log may take to answer, where it is not asked through a level of a cache, which has its own
    /// [`level_timeout`](crate::Cache::level_timeout).
    ///
    /// # Default
    ///
    /// 1 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Tells invalidations to, and hears them from, the other processes at once. Several may be added.
    ///
    /// # Default
    ///
    /// None: other processes hear of an invalidation when they ask the log next, at the latest when the
    /// [`bound`](Self::bound) is over.
    pub fn bus(mut self, bus: impl Bus) -> Self {
        self.buses.push(Arc::new(bus));
        self
    }

    /// Takes the time from another clock. The caches of the group are to have the same.
    ///
    /// # Default
    ///
    /// [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    pub(super) fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the group of the log that `store` keeps. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] from a store that keeps no log.
    pub fn over(self, store: &impl ByteStore) -> Result<Coherence> {
        let Some(log) = store.log() else {
            let message = format!(
                "{} keeps no log of invalidations; Redis and PostgreSQL do, and `Coherence::new()` is for one process",
                store.name()
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        Ok(self.over_log(log))
    }

    pub(super) fn over_log(self, log: Arc<dyn SharedLog>) -> Coherence {
        let shared = Shared::new(log, self.clock, self.bound, self.timeout);
        let group = Coherence::of(State::default(), Some(shared), Time::from_nanos(0));
        for bus in &self.buses {
            group.add_bus(bus);
        }
        group
    }
}

impl fmt::Debug for CoherenceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buses: Vec<String> = self.buses.iter().map(Bus::place).collect();
        f.debug_struct("CoherenceOptions")
            .field("bound", &self.bound)
            .field("timeout", &self.timeout)
            .field("buses", &buses)
            .finish_non_exhaustive()
    }
}
