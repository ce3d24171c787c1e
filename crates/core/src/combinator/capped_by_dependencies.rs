//! `.capped_by_dependencies()`: a value lives no longer than what it was made from.

use crate::{Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Ends the fresh life of what is loaded no later than that of any cached value which its load was given.
    ///
    /// Without this, a page that is cached for an hour serves for an hour what it took from a cache of a minute. While such a
    /// load runs, hits of all caches in the process cost some nanoseconds more.
    ///
    /// # Default
    ///
    /// Off: lives are independent; tags are inherited always.
    ///
    /// # Ordering
    ///
    /// It governs loads, and so belongs to the whole: on the right side of [`chain`](Self::chain) it panics there.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let users = Cache::new(Memory::<str, String>::new(100)).ttl(secs(60));
    /// let pages = Cache::new(Memory::<str, String>::new(100)).ttl(hours(1)).capped_by_dependencies();
    ///
    /// let page = async move || format!("<h1>{}", users.get_or_insert_with("ada", async || "Ada".into()).await);
    /// pages.get_or_insert_with("/ada", page).await;
    /// assert!(pages.lookup("/ada").await?.unwrap().ttl_left() <= Some(secs(60)));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn capped_by_dependencies(self) -> Self {
        self.decide(|policy| policy.loads.is_capped = true)
    }
}
