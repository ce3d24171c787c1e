//! `.early_expiration(beta)`: an entry is reloaded before its end, by a chance that grows towards it (`XFetch`).
//!
//! ```text
//! chance of a read    0 ....  e^-3   e^-2   e^-1   1
//! before the end          3·β·δ   2·β·δ   β·δ   end        δ: what the load took
//! ```
//!
//! Nodes that hold copies of one entry do not reload it in step, as they do with `.refresh_ahead`, and the time ahead is
//! in proportion to what the load takes. The formula and its source are in `ahead`. For the rest it is `.refresh_ahead`:
//! in the background, once a key, the next level first.

use crate::ahead::Ahead;
use crate::{Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Reloads an entry in the background, when it is read a random time before its end: exponentially distributed, with
    /// a mean of `beta` times what its load took.
    ///
    /// A `beta` of 1 suits most; more reloads earlier. Of this and [`refresh_ahead`](Self::refresh_ahead) the last one
    /// counts. What was inserted has no load whose time is known, and is not reloaded early. The random numbers are
    /// [`seed`](Self::seed)ed. Each entry takes an allocation, for what its load took.
    ///
    /// # Default
    ///
    /// Off.
    ///
    /// # Panics
    ///
    /// If `beta` is not above 0 and finite.
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
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(minutes(1)).early_expiration(1.0);
    /// # assert!(format!("{ages:?}").contains("L1 Memory"));
    /// ```
    #[track_caller]
    pub fn early_expiration(self, beta: f64) -> Self {
        assert!(beta > 0.0 && beta.is_finite(), "beta is above 0 and finite, not {beta}");
        self.decide(|policy| policy.loads.ahead = Some(Ahead::Early(beta)))
    }
}
