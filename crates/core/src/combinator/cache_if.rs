//! `.cache_if(|v| ..)`: not every value is stored.

use crate::{Cache, Lookup};
use std::sync::Arc;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Stores only values for which `admits` is true.
    ///
    /// A loaded value that is not admitted goes to its callers, and what the levels have stays as it is. An inserted one
    /// that is not admitted removes what is there, which it was to replace. A load that knows by itself says
    /// [`no_store`](crate::load::no_store). The last `cache_if` counts. Runs for each loaded or inserted value; if it
    /// panics, a loaded value goes to its callers and is not stored.
    ///
    /// # Default
    ///
    /// All values are stored.
    ///
    /// # Ordering
    ///
    /// It governs loads, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there. After
    /// [`codec`](Self::codec), which changes the type of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let searches = Cache::new(Memory::<str, Vec<u32>>::new(1_000)).cache_if(|hits| !hits.is_empty());
    ///
    /// assert!(searches.get_or_insert_with("ada", async || vec![]).await.is_empty());
    /// assert!(!searches.contains("ada").await?);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn cache_if(self, admits: impl Fn(&V) -> bool + Send + Sync + 'static) -> Self {
        self.decide(|policy| policy.loads.cache_if = Some(Arc::new(admits)))
    }
}
