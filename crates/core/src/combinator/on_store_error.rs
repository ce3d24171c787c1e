//! `.on_store_error(Degrade | Fail)`: whether a call survives a store that fails.
//!
//! ```text
//!            L1 miss       L2 fails                L3              loader
//! Degrade    ──────────────  an event  ──────────  asked  ───────  called if L3 has nothing
//! Fail       ──────────────  the error, and the end
//! ```
//!
//! To degrade is right where the cache is there for speed. To fail is right where the level behind is what protects a
//! database that could not bear the load, or where its answer is the truth.
//!
//! With `Fail`, whether a call fails depends on the levels up to the one that failed, and not on what another behind it
//! happens to hold: the same outage gives the same answer for every key that it concerns.

use crate::{Cache, Lookup, OnStoreError};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Decides what a read does when a level that it asks fails: an error, no answer in time, or an open breaker.
    ///
    /// With [`Degrade`](OnStoreError::Degrade) the level is passed over. With [`Fail`](OnStoreError::Fail) the call ends
    /// there, unless a level before it had a fresh or stale value: [`get`](Self::get), [`lookup`](Self::lookup) and
    /// [`contains`](Self::contains) return the error, [`get_or_load`](Self::get_or_load) returns it as
    /// [`LoadError::Store`](crate::LoadError::Store) and does not call its loader, and all who wait for the same read get
    /// the same one. What is kept for loads that fail ([`stale_if_error`](Self::stale_if_error)) is not served for it.
    ///
    /// In both, bytes that cannot be used are a miss, a value that was loaded reaches its caller even if it cannot be
    /// stored, and [`get_or_insert_with`](Self::get_or_insert_with), which has no error to return, passes over what fails.
    ///
    /// # Default
    ///
    /// [`OnStoreError::Degrade`]
    ///
    /// # Ordering
    ///
    /// It governs calls, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// use larder::{LoadError, OnStoreError};
    /// use larder_testkit::FakeBytes;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = FakeBytes::new();
    /// let ages = Cache::new(store.clone()).codec(Json).on_store_error(OnStoreError::Fail);
    /// store.fail(&[larder::Operation::Read]);
    ///
    /// let age = ages.get_or_load("ada", async || "36".parse::<u32>()).await;
    /// assert!(matches!(age, Err(LoadError::Store(error)) if error.level() == Some("L1 FakeBytes")));
    /// # });
    /// ```
    pub fn on_store_error(self, decision: OnStoreError) -> Self {
        self.decide(|policy| policy.on_store_error = Some(decision))
    }
}
