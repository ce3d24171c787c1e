//! How large a buffer to begin with, so that few have to grow.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A header with a key, and a small value.
const LEAST: usize = 256;
/// From somewhere above this on, allocators ask the system for each buffer, which costs more than it spares.
const MOST: usize = 64 << 10;

/// What buffers for values of one sort came to need.
#[derive(Debug, Default)]
pub(crate) struct Room(AtomicUsize);

impl Room {
    /// Returns an empty buffer in which most values find room.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        Vec::with_capacity(self.0.load(Relaxed).max(LEAST))
    }

    /// Takes note of how long a buffer became: up to that at once, and down by little and little.
    pub(crate) fn learn(&self, length: usize) {
        let known = self.0.load(Relaxed);
        let length = length.min(MOST);
        let next = if length > known { length + length / 16 } else { known - (known - length) / 8 };
        // Values of about one length, from many threads, leave the line of memory alone.
        if next.abs_diff(known) > known / 32 {
            self.0.store(next, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lengths: impl IntoIterator<Item = usize>) -> usize {
        let room = Room::default();
        for length in lengths {
            room.learn(length);
        }
        room.buffer().capacity()
    }

    #[test]
    fn a_buffer_has_room_for_what_came_before_and_some_more() {
        assert_eq!(after([]), LEAST);
        assert_eq!(after([5_000]), 5_312);
        assert_eq!(after([5_000, 5_200, 4_900]), 5_312);
    }

    #[test]
    fn one_large_value_is_forgotten_and_never_more_than_a_bound_is_held_ready() {
        assert!(after([1 << 30]) <= MOST + MOST / 16);
        let many = std::iter::once(1 << 30).chain(std::iter::repeat_n(300, 60));
        assert!(after(many) < 500);
    }
}
