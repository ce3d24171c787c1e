//! Invalidating, for synchronous code.

use super::Blocking;
use crate::holds::Holds;
use crate::{Lookup, Result};

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Invalidates what has the tag, or was made from what has it:
    /// [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    ///
    /// # Errors
    ///
    /// As for [`Cache::invalidate_tag`](crate::Cache::invalidate_tag).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking). It holds in this process nevertheless.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert_with("ada", 36, |entry| entry.tag("people"))?;
    /// ages.invalidate_tag("people")?;
    /// assert_eq!(ages.get("ada")?, None);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn invalidate_tag(&self, tag: impl AsRef<str> + Send) -> Result<()> {
        self.wait(self.cache.invalidate_tag(tag))
    }

    /// Invalidates what has any of the tags, in one step: [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Errors
    ///
    /// As for [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Panics
    ///
    /// As for [`invalidate_tag`](Self::invalidate_tag).
    #[track_caller]
    pub fn invalidate_tags<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T> + Send) -> Result<()> {
        self.wait(self.cache.invalidate_tags(tags))
    }

    /// Ends the life of what has the tag, and keeps it for loads that fail:
    /// [`Cache::expire_tag`](crate::Cache::expire_tag).
    ///
    /// # Errors
    ///
    /// As for [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Panics
    ///
    /// As for [`invalidate_tag`](Self::invalidate_tag).
    #[track_caller]
    pub fn expire_tag(&self, tag: impl AsRef<str> + Send) -> Result<()> {
        self.wait(self.cache.expire_tag(tag))
    }

    /// Ends the life of what has any of the tags, in one step: [`expire_tag`](Self::expire_tag).
    ///
    /// # Errors
    ///
    /// As for [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Panics
    ///
    /// As for [`invalidate_tag`](Self::invalidate_tag).
    #[track_caller]
    pub fn expire_tags<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T> + Send) -> Result<()> {
        self.wait(self.cache.expire_tags(tags))
    }

    /// Removes the entries that `condemned` says yes to, and returns how many there were:
    /// [`Cache::invalidate_where`](crate::Cache::invalidate_where).
    ///
    /// # Errors
    ///
    /// As for [`Cache::invalidate_where`](crate::Cache::invalidate_where).
    ///
    /// # Panics
    ///
    /// If `condemned` does, and where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert("bob", 12)?;
    /// assert_eq!(ages.invalidate_where(|_name, age| *age < 18)?, 1);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn invalidate_where(
        &self,
        condemned: impl Fn(&K, &V) -> bool + Send + Sync + 'static,
    ) -> Result<u64> {
        self.wait(self.cache.invalidate_where(condemned))
    }
}
