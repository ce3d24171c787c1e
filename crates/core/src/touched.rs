//! Which keys somebody changed since the cache was made.
//!
//! For [`import`](crate::Cache::import): what was removed, or replaced, before it came is not to come back, and a removal leaves
//! nothing else behind. A key is one of 32,768 bits, of which an insertion or a removal sets one. So a key that nobody
//! changed may seem to have been, and is then not imported; never the other way round.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const WORDS: usize = 512;

/// See the module. What orders marks and looks is the lock of the key's shard.
#[derive(Default)]
pub(crate) struct Touched(OnceLock<Box<[AtomicU64; WORDS]>>);

impl Touched {
    pub(crate) fn mark(&self, hash: u64) {
        let words = self.0.get_or_init(|| Box::new([const { AtomicU64::new(0) }; WORDS]));
        let (word, bit) = place(hash);
        // Most marks of a busy cache are there already, and looking keeps the line shared.
        if words[word].load(Relaxed) & bit == 0 {
            words[word].fetch_or(bit, Relaxed);
        }
    }

    /// Marks every key.
    pub(crate) fn mark_all(&self) {
        let words = self.0.get_or_init(|| Box::new([const { AtomicU64::new(0) }; WORDS]));
        words.iter().for_each(|word| word.store(u64::MAX, Relaxed));
    }

    pub(crate) fn is_marked(&self, hash: u64) -> bool {
        let (word, bit) = place(hash);
        self.0.get().is_some_and(|words| words[word].load(Relaxed) & bit != 0)
    }
}

/// Of bits that neither the table of flights nor its shards are chosen by.
fn place(hash: u64) -> (usize, u64) {
    let bits = (hash >> 40) as usize % (WORDS * 64);
    (bits / 64, 1 << (bits % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_marked_is_marked_and_hardly_anything_else() {
        let touched = Touched::default();
        assert!(!touched.is_marked(7));
        let hash = |key: u64| key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..100).for_each(|key| touched.mark(hash(key)));
        assert!((0..100).all(|key| touched.is_marked(hash(key))));
        let wrongly = (100..10_100).filter(|key| touched.is_marked(hash(*key))).count();
        assert!(wrongly < 100, "{wrongly} of 10,000");
        touched.mark_all();
        assert!((100..200).all(|key| touched.is_marked(hash(key))));
    }
}
