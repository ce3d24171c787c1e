//! Which keys somebody changed, since the cache was made or since somebody looks.
//!
//! For [`import`](crate::Cache::import): what was removed, or replaced, before it came is not to come back, and a removal leaves
//! nothing else behind. A key is one of 32,768 bits, of which an insertion or a removal sets one. So a key that nobody
//! changed may seem to have been, and is then not imported; never the other way round. A load that may answer more than it
//! was asked for watches the changes that come after its beginning, in bits of its own.

use crate::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, Weak};

const WORDS: usize = 512;

/// See the module. What orders marks and looks is the lock of the key's shard.
#[derive(Default)]
pub(crate) struct Touched {
    ever: Bits,
    /// Those who look at what is changed from some moment on.
    watches: Mutex<Vec<Weak<Bits>>>,
    /// Whether there are any. Most caches have none.
    is_watched: AtomicBool,
}

impl Touched {
    pub(crate) fn mark(&self, hash: u64) {
        self.ever.mark(hash);
        self.tell(|bits| bits.mark(hash));
    }

    /// Marks every key.
    pub(crate) fn mark_all(&self) {
        self.ever.mark_all();
        self.tell(Bits::mark_all);
    }

    /// A load of the key was written: that is no change, but newer than what began before.
    pub(crate) fn note_written(&self, hash: u64) {
        self.tell(|bits| bits.mark(hash));
    }

    pub(crate) fn is_marked(&self, hash: u64) -> bool {
        self.ever.is_marked(hash)
    }

    /// Watches what is changed, or loaded, from now on, as long as it lives.
    pub(crate) fn watch(&self) -> Watch {
        let bits = Arc::new(Bits::default());
        let mut watches = self.watches.lock();
        watches.retain(|watch| watch.strong_count() > 0);
        watches.push(Arc::downgrade(&bits));
        self.is_watched.store(true, SeqCst);
        Watch(bits)
    }

    fn tell(&self, mark: impl Fn(&Bits)) {
        if !self.is_watched.load(SeqCst) {
            return;
        }
        let mut watches = self.watches.lock();
        watches.retain(|watch| watch.upgrade().map(|bits| mark(&bits)).is_some());
        if watches.is_empty() {
            self.is_watched.store(false, SeqCst);
        }
    }
}

/// Which keys are changed, or loaded, while it lives.
pub(crate) struct Watch(Arc<Bits>);

impl Watch {
    pub(crate) fn is_marked(&self, hash: u64) -> bool {
        self.0.is_marked(hash)
    }
}

#[derive(Default)]
struct Bits(OnceLock<Box<[AtomicU64; WORDS]>>);

impl Bits {
    fn mark(&self, hash: u64) {
        let (word, bit) = place(hash);
        let words = self.words();
        // Most marks of a busy cache are there already, and looking keeps the line shared.
        if words[word].load(Relaxed) & bit == 0 {
            words[word].fetch_or(bit, Relaxed);
        }
    }

    fn mark_all(&self) {
        self.words().iter().for_each(|word| word.store(u64::MAX, Relaxed));
    }

    fn is_marked(&self, hash: u64) -> bool {
        let (word, bit) = place(hash);
        self.0.get().is_some_and(|words| words[word].load(Relaxed) & bit != 0)
    }

    fn words(&self) -> &[AtomicU64; WORDS] {
        self.0.get_or_init(|| Box::new([const { AtomicU64::new(0) }; WORDS]))
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
        let watch = touched.watch();
        assert!(!watch.is_marked(hash(7)), "it was marked before");
        touched.mark(hash(8));
        assert!(watch.is_marked(hash(8)) && !watch.is_marked(hash(7)));
        touched.note_written(hash(10_200));
        assert!(watch.is_marked(hash(10_200)) && !touched.is_marked(hash(10_200)));
        drop(watch);
        touched.mark(hash(9));
        assert!(touched.watches.lock().is_empty());

        let watch = touched.watch();
        touched.mark_all();
        assert!(watch.is_marked(hash(7)));
        assert!((100..200).all(|key| touched.is_marked(hash(key))));
    }
}
