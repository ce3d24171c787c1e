//! Whether a cache reads and writes at all, or was told to leave its levels alone: [`Cache::pause_reads`].
//!
//! [`Cache::pause_reads`]: crate::Cache::pause_reads

use crate::dependencies::Exception;
use crate::sync::{AtomicBool, Mutex};
use std::sync::atomic::Ordering::SeqCst;

/// What is paused. One for all handles of a cache.
#[derive(Default)]
pub(crate) struct Pauses {
    reads: AtomicBool,
    writes: AtomicBool,
    /// Has every hit of the process look here. Its lock is held while `reads` changes, so that two threads that pause and
    /// resume leave both saying the same.
    exception: Mutex<Option<Exception>>,
}

impl Pauses {
    /// Whether nothing is to be read.
    pub(crate) fn reads(&self) -> bool {
        self.reads.load(SeqCst)
    }

    /// Whether nothing is to be stored.
    pub(crate) fn writes(&self) -> bool {
        self.writes.load(SeqCst)
    }

    pub(crate) fn set_reads(&self, paused: bool) {
        let mut exception = self.exception.lock();
        self.reads.store(paused, SeqCst);
        if !paused {
            *exception = None;
        } else if exception.is_none() {
            *exception = Some(Exception::begin());
        }
    }

    pub(crate) fn set_writes(&self, paused: bool) {
        self.writes.store(paused, SeqCst);
    }
}
