//! Invalidating by tags: [`invalidate_tag`](Cache::invalidate_tag), [`expire_tag`](Cache::expire_tag).

use crate::shared_log::Name;
use crate::{Cache, Lookup, Result};

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Send + Sync,
    S: Send + Sync,
    C: Send + Sync,
{
    /// Invalidates what has the tag, or was made from what has it: in every level of this cache, and in every cache of its
    /// group.
    ///
    /// Once this has returned, no value whose load or read began before the call is served by this process, whether its tags
    /// were known then or not. It takes the same time for one entry and for a million: the tag is marked, and entries are
    /// judged when they are read. So what is invalidated takes room until it is read, replaced or evicted, or dies.
    ///
    /// With a log that processes share, the same holds for what other processes read through the store that keeps it, and for
    /// what they have in front of it at the latest when the [bound](crate::CoherenceOptions::bound) is over. It takes one
    /// round trip. Without one, what other processes have, or what this one had put into a store before it was started anew,
    /// is served until it expires.
    ///
    /// # Errors
    ///
    /// That of the shared log, if it does not answer. The invalidation holds in this process nevertheless, and is told to the
    /// others as soon as the log can be reached: [`CoherenceStats::pending`](crate::CoherenceStats::pending).
    ///
    /// # Cancel safety
    ///
    /// Once polled it goes on to the end. Without a runtime it stops with the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// ages.insert_with("ada", 36, |entry| entry.tag("people")).await?;
    /// ages.invalidate_tag("people").await?;
    /// assert_eq!(ages.get("ada").await?, None);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn invalidate_tag(&self, tag: impl AsRef<str> + Send) -> Result<()> {
        self.invalidate(vec![Name::tag(tag.as_ref())]).await
    }

    /// Invalidates what has any of the tags, in one step: [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Errors
    ///
    /// As of [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Cancel safety
    ///
    /// As of [`invalidate_tag`](Self::invalidate_tag).
    pub async fn invalidate_tags<T: AsRef<str>>(
        &self,
        tags: impl IntoIterator<Item = T> + Send,
    ) -> Result<()> {
        self.invalidate(names(tags)).await
    }

    /// Ends the life of what has the tag, and keeps it for loads that fail: what [`expire`](Self::expire) is to
    /// [`remove`](Self::remove).
    ///
    /// It is kept for as long as [`stale_if_error`](Self::stale_if_error) says, counted from this call.
    ///
    /// # Errors
    ///
    /// As of [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Cancel safety
    ///
    /// As of [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).stale_if_error(hours(24));
    /// ages.insert_with("ada", 36, |entry| entry.tag("people")).await?;
    ///
    /// ages.expire_tag("people").await?;
    /// assert_eq!(ages.get("ada").await?, None);
    /// let age = ages.get_or_load("ada", async || Err("the database is down")).await;
    /// assert_eq!(age.unwrap(), 36);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn expire_tag(&self, tag: impl AsRef<str> + Send) -> Result<()> {
        self.invalidate(vec![Name::tag(tag.as_ref()).expiring()]).await
    }

    /// Ends the life of what has any of the tags, in one step: [`expire_tag`](Self::expire_tag).
    ///
    /// # Errors
    ///
    /// As of [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Cancel safety
    ///
    /// As of [`invalidate_tag`](Self::invalidate_tag).
    pub async fn expire_tags<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T> + Send) -> Result<()> {
        self.invalidate(names(tags).iter().map(Name::expiring).collect()).await
    }

    async fn invalidate(&self, names: Vec<Name>) -> Result<()> {
        // Not the exact time: reads are judged by this one, which may lag, and are to miss from now on.
        self.inner.coherence.invalidate(names, self.inner.clock.now()).await
    }
}

fn names<T: AsRef<str>>(tags: impl IntoIterator<Item = T>) -> Vec<Name> {
    tags.into_iter().map(|tag| Name::tag(tag.as_ref())).collect()
}
