//! What a cache is told about the world around it: where time comes from, and whose invalidations reach it.

use crate::{Clock, Coherence, SystemClock};
use std::sync::Arc;

/// See the module.
#[derive(Clone)]
pub(crate) struct Seams {
    pub(crate) clock: Arc<dyn Clock>,
    /// The group that was chosen; that of the clock, if none was.
    pub(crate) group: Option<Coherence>,
}

impl Seams {
    /// The group that the cache belongs to.
    pub(crate) fn coherence(&self) -> Coherence {
        self.group.clone().unwrap_or_else(|| self.clock.coherence())
    }
}

impl Default for Seams {
    fn default() -> Self {
        Seams { clock: Arc::new(SystemClock), group: None }
    }
}
