//! `.coherence(&group)`: whose invalidations reach this cache.

use crate::holds::Holds;
use crate::policy::Policy;
use crate::seams::Seams;
use crate::{Cache, Coherence, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Makes this cache one of a group: a tag that is invalidated through one of them is invalidated for all.
    ///
    /// # Default
    ///
    /// A cache over a store that keeps a log of invalidations (Redis, PostgreSQL) belongs to the group of that log, with all
    /// that have the same store; other processes belong to it too. All others of a process belong to one group, and those of
    /// each mock clock to one.
    ///
    /// A group of [`Coherence::new`] for a cache over such a store leaves its log alone: it then neither tells nor hears other
    /// processes, and they do not believe what it writes.
    ///
    /// # Ordering
    ///
    /// It belongs to the whole: on the right side of [`chain`](Self::chain) it panics there. It makes a new cache: what
    /// clones share, they share from here on.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Coherence, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mine = Cache::new(Memory::<str, u32>::new(100)).coherence(&Coherence::new());
    /// let others = Cache::new(Memory::<str, u32>::new(100));
    ///
    /// others.insert_with("ada", 36, |entry| entry.tag("people")).await?;
    /// mine.invalidate_tag("people").await?;
    /// assert_eq!(others.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn coherence(self, group: &Coherence) -> Self {
        let policy = Policy::clone(&self.policy);
        let seams = Seams { group: Some(group.clone()), ..self.seams() };
        Cache::assemble(self.level, policy, seams).calling(self.call)
    }
}
