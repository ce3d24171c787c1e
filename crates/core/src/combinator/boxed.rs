//! `.boxed()`: the levels' types disappear.

use crate::codec::PerLevel;
use crate::holds::Holds;
use crate::level::Level;
use crate::{Boxed, Cache, Lookup};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the same cache as `Cache<K, V>`, the type for struct fields and function signatures.
    ///
    /// It shares everything with the cache it was made of. A hit at the first level costs one indirect call more
    /// and still allocates nothing. Used at the borders of modules it also keeps compile times down, because what
    /// lies behind is compiled once.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// struct App {
    ///     ages: Cache<str, u32>,
    /// }
    ///
    /// let app = App { ages: Cache::new(Memory::new(1_000)).boxed() };
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// app.ages.insert("ada", 36).await?;
    /// assert_eq!(app.ages.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn boxed(self) -> Cache<K, V> {
        let level = Level::new(Boxed::new(self.level), PerLevel);
        Cache { inner: self.inner, level, policy: self.policy, call: self.call }
    }
}
