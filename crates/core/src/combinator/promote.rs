//! `.promote(p)`: whether a level gets copies of what was found behind it.
//!
//! ```text
//! .promote(EveryNth(3)) on L1       L2 answers:   1st    2nd    3rd    4th    5th    6th
//!                                   copied to L1:               x                    x
//! ```
//!
//! A level that is scanned over, or that is to keep only what is asked for again and again, need not take each
//! passer-by. What is loaded or inserted is written to it all the same; `.write(Around)` decides about inserts. It
//! costs an atomic addition a hit behind, and nothing at a hit in front. A hit that is not copied leaves an older
//! entry in the level as it is.

use crate::{Cache, Lookup, OneLevel};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Whether a level gets copies of what was found behind it; see [`Cache::promote`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promote {
    /// Of every hit behind it.
    #[default]
    Always,
    /// Of none.
    Never,
    /// Of each n-th hit behind it, all keys counted together: a key that is asked for often will be copied soon.
    EveryNth(u64),
}

/// [`Promote`], and where its count stands.
#[derive(Debug, Default)]
pub(crate) struct Promotion {
    promote: Promote,
    hits: AtomicU64,
}

impl Promotion {
    /// Counts a hit behind the level, and says whether the level gets a copy.
    pub(crate) fn is_due(&self) -> bool {
        match self.promote {
            Promote::Always => true,
            Promote::Never => false,
            Promote::EveryNth(n) => (self.hits.fetch_add(1, Relaxed) + 1).is_multiple_of(n),
        }
    }
}

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Decides whether this level gets copies of what is found in levels behind it. Loads and inserts write to it all
    /// the same.
    ///
    /// # Default
    ///
    /// [`Promote::Always`].
    ///
    /// # Panics
    ///
    /// If it is to be each 0-th.
    ///
    /// # Ordering
    ///
    /// It is said on the level that would receive the copies, before [`chain`](Self::chain):
    ///
    /// ```
    /// use larder::prelude::*;
    /// use larder::Promote;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let l2 = Cache::new(Object::in_memory()).codec(Json);
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .promote(Promote::EveryNth(2))
    ///     .chain(l2.clone());
    ///
    /// l2.insert("ada", 36).await?;
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// assert_eq!(ages.get_now("ada"), None); // not copied yet
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// assert_eq!(ages.get_now("ada"), Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn promote(self, promote: Promote) -> Self
    where
        C: OneLevel,
    {
        assert!(promote != Promote::EveryNth(0), "each 0-th hit is none: `Promote::Never` is that");
        self.decide(|policy| {
            policy.levels[0].promotion = Promotion { promote, hits: AtomicU64::new(0) }.into();
        })
    }
}
