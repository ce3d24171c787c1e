//! `.refresh_ahead(fraction)`: an entry that is read late in its fresh life is reloaded before that ends.
//!
//! ```text
//! load begins              fraction · ttl               ttl
//!     |-------- fresh --------|---------- fresh ---------|----
//!     | hit                   | hit, and one reload      | stale, or a miss
//!     |                       | in the background        |
//! ```
//!
//! So a key that is asked for never makes anybody wait. The reload is the key's flight: one at a time, with the loader
//! of the call that found the entry due. It asks the next level first, and takes what that has unless it is due there
//! too. If the reload fails, it is tried again after a second, then two, up to `.retry_after`, as long as the entry is
//! read. A copy of a lower level's entry counts from when it was copied. A hit before the moment costs what it always
//! does: the moment is written into the entry.

use crate::ahead::Ahead;
use crate::{Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Reloads an entry in the background when it is read after this fraction of its fresh life.
    ///
    /// Of this and [`early_expiration`](Self::early_expiration) the last one counts. Entries without end are not
    /// reloaded. A read without a loader reloads nothing.
    ///
    /// # Default
    ///
    /// Off.
    ///
    /// # Panics
    ///
    /// If `fraction` is not above 0 and below 1.
    ///
    /// # Ordering
    ///
    /// It governs loads, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(minutes(1)).refresh_ahead(0.8);
    /// # assert!(format!("{ages:?}").contains("L1 Memory"));
    /// ```
    #[track_caller]
    pub fn refresh_ahead(self, fraction: f64) -> Self {
        assert!(fraction > 0.0 && fraction < 1.0, "the fraction is above 0 and below 1, not {fraction}");
        self.decide(|policy| policy.loads.ahead = Some(Ahead::At(fraction)))
    }
}
