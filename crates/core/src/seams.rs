//! What a cache is told about the world around it: where time comes from, and whose invalidations reach it.

use crate::shared_log::SharedLog;
use crate::{Clock, Coherence, SystemClock};
use std::sync::Arc;

/// See the module.
#[derive(Clone)]
pub(crate) struct Seams {
    pub(crate) clock: Arc<dyn Clock>,
    /// The group that was chosen; if none was, that of the log, or else of the clock.
    pub(crate) group: Option<Coherence>,
}

impl Seams {
    /// The group that a cache belongs to whose levels keep this log, if they keep one.
    pub(crate) fn coherence(&self, log: Option<Arc<dyn SharedLog>>) -> Coherence {
        let of_clock = || {
            let group = self.clock.coherence();
            log.map_or_else(|| group.clone(), |log| group.of_log(&log, &self.clock))
        };
        self.group.clone().unwrap_or_else(of_clock)
    }
}

impl Default for Seams {
    fn default() -> Self {
        Seams { clock: Arc::new(SystemClock), group: None }
    }
}
