//! Leaving the levels alone for a while: [`pause_reads`](Cache::pause_reads) and [`pause_writes`](Cache::pause_writes).
//!
//! ```text
//!                    reads paused                       writes paused                   both: a pass-through
//! read               a miss in every level              as always                       a miss
//! load               runs, one a key; is stored         runs where it must;             runs, one a key
//!                                                       its value goes to its callers
//! insert             stored                             removes what is there           removes what is there
//! remove, expire,    as always                          as always                       as always
//! invalidate, clear
//! ```

use crate::{Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Lets every read miss until [`resume_reads`](Self::resume_reads): no level is asked, and nothing is served from one.
    ///
    /// For an incident: a store that answers slowly, or values in it that are wrong. It holds for this cache, whichever
    /// clone, boxed or blocking form of it asks. Nothing old is served either, not even where a load fails, and no error
    /// that is [remembered](Self::cache_errors); what a [`fallback`](Self::fallback) makes up is. Each call with a loader
    /// loads; those who ask for one key at the same time still share a load, and what is loaded is stored. (A store that
    /// keeps a log of invalidations is the exception: there only what was read is replaced by what is loaded.) A call that
    /// began before may still be answered by what it read.
    ///
    /// Copies beside the levels go on being served: a [schedule](Self::refresh_every) goes on loading its own, and a
    /// [mirror](Self::mirror) keeps what it has. An [`export`](Self::export) writes down what the memory holds.
    ///
    /// The pause is of the finished cache: what makes a new one of it ([`chain`](Self::chain), [`codec`](Self::codec),
    /// [`clock`](Self::clock), [`coherence`](Self::coherence)) begins without.
    ///
    /// A hit of any other cache of the process costs some nanoseconds more meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    ///
    /// ages.pause_reads();
    /// assert_eq!(ages.get("ada").await?, None);
    /// assert!(!ages.is_reading());
    ///
    /// ages.resume_reads();
    /// assert_eq!(ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn pause_reads(&self) {
        self.inner.pauses.set_reads(true);
    }

    /// Ends what [`pause_reads`](Self::pause_reads) began. What the levels have is served again, as far as its life lasts
    /// and nobody has removed it meanwhile.
    pub fn resume_reads(&self) {
        self.inner.pauses.set_reads(false);
    }

    /// Stores nothing in any level until [`resume_writes`](Self::resume_writes).
    ///
    /// For an incident: a store that must not be burdened, or a source whose values are wrong for now. It holds for this
    /// cache, whichever clone, boxed or blocking form of it writes. What is loaded goes to its callers only, and what the
    /// levels have stays as it is; nor is anything copied up, [imported](Self::import) (it counts as expired), or remembered
    /// as an [error](Self::cache_errors). An [`insert`](Self::insert) removes what is there, as it does after a veto of
    /// [`cache_if`](Self::cache_if), and [`remove`](Self::remove), [`expire`](Self::expire),
    /// [`invalidate_tag`](Self::invalidate_tag) and [`clear`](Self::clear) do their work: what was replaced does not come
    /// back later. A write that is under way goes on, and a [queue](Self::write) writes what it already has.
    ///
    /// A [schedule](Self::refresh_every) goes on loading, and serves its own copy; one that [publishes](Self::publish) keeps
    /// what it loads to this process.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert("ada", 36).await?;
    ///
    /// ages.pause_writes();
    /// assert_eq!(ages.get_or_insert_with("bob", async || 41).await, 41);
    /// assert_eq!(ages.get("bob").await?, None);
    /// ages.insert("ada", 37).await?;
    ///
    /// ages.resume_writes();
    /// assert_eq!(ages.get("ada").await?, None); // not 36, which was replaced
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn pause_writes(&self) {
        self.inner.pauses.set_writes(true);
    }

    /// Ends what [`pause_writes`](Self::pause_writes) began.
    pub fn resume_writes(&self) {
        self.inner.pauses.set_writes(false);
    }

    /// Returns whether reads ask the levels: [`pause_reads`](Self::pause_reads).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// let handle = ages.clone().boxed();
    /// handle.pause_reads();
    /// assert!(!ages.is_reading() && ages.is_writing());
    /// ```
    pub fn is_reading(&self) -> bool {
        !self.inner.pauses.reads()
    }

    /// Returns whether values are stored: [`pause_writes`](Self::pause_writes).
    pub fn is_writing(&self) -> bool {
        !self.inner.pauses.writes()
    }
}
