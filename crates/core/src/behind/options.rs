//! What `.write(Behind::default())` can be told.

use crate::failures::Delay;
use std::time::Duration;

/// Writes of a level go into a queue, and to the store in the background.
///
/// Said with [`Cache::write`](crate::Cache::write), where the behaviour is documented.
///
/// # Default
///
/// - [`every`](Self::every): 0, at once
/// - [`max_pending`](Self::max_pending): 10,000 keys
/// - [`when_full`](Self::when_full): [`WhenFull::WriteThrough`]
/// - [`concurrency`](Self::concurrency): 16 writes
/// - [`retries`](Self::retries): 5
/// - [`back_off`](Self::back_off): from 100 ms up to 5 s
///
/// # Examples
///
/// ```
/// use larder::prelude::*;
/// use larder::{Behind, WhenFull};
///
/// let behind = Behind::default().every(secs(5)).max_pending(1_000).when_full(WhenFull::Wait);
/// # let cache: Cache<str, u32, _, _> = Cache::new(Object::in_memory()).codec(Json).write(behind);
/// # assert!(format!("{cache:?}").contains("L1 Object"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `.write(..)` is told of them"]
pub struct Behind {
    pub(crate) every: Duration,
    pub(crate) max_pending: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) concurrency: usize,
    pub(crate) retries: u32,
    pub(crate) back_off: Delay,
}

/// What a write does that finds the queue full. A key that is in the queue needs no new place.
///
/// There is no "drop the oldest": the store would go on serving the value before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// The caller writes the value itself and waits for the store, as without a queue.
    #[default]
    WriteThrough,
    /// The caller waits for a place. Unlike writing through, this never asks more of the store than
    /// [`concurrency`](Behind::concurrency).
    Wait,
}

impl Default for Behind {
    fn default() -> Self {
        Behind {
            every: Duration::ZERO,
            max_pending: 10_000,
            when_full: WhenFull::WriteThrough,
            concurrency: 16,
            retries: 5,
            back_off: Delay { first: Duration::from_millis(100), most: Duration::from_secs(5) },
        }
    }
}

impl Behind {
    /// Writes a key `interval` after it was queued: at most once an interval, however often it changes.
    ///
    /// A queue that is half full does not wait, and neither do [`flush`](crate::Cache::flush),
    /// [`shutdown`](crate::Cache::shutdown) and the end of the last handle.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// Bounds the queue, those that are being written included.
    ///
    /// # Panics
    ///
    /// If `keys` is 0.
    #[track_caller]
    pub fn max_pending(mut self, keys: usize) -> Self {
        assert!(keys > 0, "a queue of 0 keys queues nothing: `.write(Through)` is that");
        self.max_pending = keys;
        self
    }

    /// Says what a write does that finds the queue full.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Bounds how many keys are written at the same time. One that hangs delays the others only when all hang.
    ///
    /// # Panics
    ///
    /// If `writes` is 0.
    #[track_caller]
    pub fn concurrency(mut self, writes: usize) -> Self {
        assert!(writes > 0, "0 writes at a time would write nothing");
        self.concurrency = writes;
        self
    }

    /// Tries a write that failed `times` times more before it is given up. 0 gives up at once, as does an error that no
    /// retry cures: [`TooLarge`](crate::ErrorKind::TooLarge), [`Unsupported`](crate::ErrorKind::Unsupported).
    pub fn retries(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    /// Waits `first` before the first retry, twice that before the second, and so on up to `most`.
    ///
    /// # Panics
    ///
    /// If `first` is more than `most`.
    #[track_caller]
    pub fn back_off(mut self, first: Duration, most: Duration) -> Self {
        assert!(first <= most, "a back-off from {first:?} up to {most:?} goes down");
        self.back_off = Delay { first, most };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a queue of 0 keys queues nothing")]
    fn a_queue_without_a_place_is_refused() {
        let _ = Behind::default().max_pending(0);
    }

    #[test]
    #[should_panic(expected = "0 writes at a time would write nothing")]
    fn a_flusher_that_may_not_write_is_refused() {
        let _ = Behind::default().concurrency(0);
    }

    #[test]
    #[should_panic(expected = "a back-off from 2s up to 1s goes down")]
    fn a_back_off_that_goes_down_is_refused() {
        let _ = Behind::default().back_off(Duration::from_secs(2), Duration::from_secs(1));
    }
}
