//! What a cache, its clones and its boxed form share. It does not know which stores there are.

use crate::counters::Counters;
use crate::failures::Failures;
use crate::flights::Flights;
use crate::pauses::Pauses;
use crate::{Clock, Coherence, Lookup};
use std::sync::{Arc, OnceLock};

/// See the module.
pub(crate) struct Inner<K: ?Sized + Lookup, V> {
    pub(crate) flights: Arc<Flights<K, V>>,
    pub(crate) failures: Failures<K>,
    pub(crate) counters: Counters,
    /// Whether it is to leave its levels alone.
    pub(crate) pauses: Pauses,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whose invalidations reach it.
    pub(crate) coherence: Coherence,
    /// The group that was chosen, if one was.
    pub(crate) group: Option<Coherence>,
    /// Frees what has expired. Made when the first entry with an end is written; the clock drops it with us.
    pub(crate) sweeper: OnceLock<Arc<dyn crate::Tick>>,
}
