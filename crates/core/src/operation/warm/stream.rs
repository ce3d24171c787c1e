//! Loading keys as they come: [`warm_stream`](Cache::warm_stream).

use super::{Key, Keys, Warm};
use crate::holds::Holds;
use crate::{Cache, Loading, Lookup};
use futures_core::Stream;
use std::future::Future;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads with `load` those of the `keys` that no level has fresh, as they come: from the cursor of a database, say.
    ///
    /// As [`warm`](Self::warm). The next key is asked for only while fewer are seen to than
    /// [`concurrency`](Warm::concurrency) says, and while none comes the loads go on. The report has all keys, so it grows
    /// with them. A stream that can fail is ended at its first error by who makes it.
    ///
    /// # Default
    ///
    /// - [`concurrency`](Warm::concurrency): 16 keys
    ///
    /// # Cancel safety
    ///
    /// As for [`warm`](Self::warm). What was taken from the stream is what has begun.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::stream::{self, StreamExt};
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000));
    /// let rows = stream::iter([Ok("36"), Ok("12"), Err("the connection is lost")]); // as a database sends them
    ///
    /// let mut lost = None;
    /// let names = rows.scan((), |(), row| std::future::ready(row.map_err(|error| lost = Some(error)).ok()));
    /// let report = ages.warm_stream(names, async |name: String| name.parse::<u32>()).concurrency(2).await;
    /// assert_eq!((report.loaded(), lost), (2, Some("the connection is lost")));
    /// assert_eq!(ages.get("36").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn warm_stream<'a, F, Fut, E>(
        &self,
        keys: impl Stream<Item: Into<Key<K>>> + Send + 'a,
        load: F,
    ) -> Warm<'a, Key<K>, E>
    where
        F: Fn(Key<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        self.warm_each(Keys::of_stream(keys), load)
    }
}

impl<K, V, E, S, C> Loading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads those of the `keys` that no level has fresh, as they come: [`Cache::warm_stream`], with this cache's
    /// loader.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::stream;
    /// use larder::{LoadContext, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let numbers = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .loader(async |cx: LoadContext<str, u32>| cx.key().parse::<u32>());
    ///
    /// let report = numbers.warm_stream(stream::iter(["36", "12"])).await;
    /// assert_eq!(report.loaded(), 2);
    /// # });
    /// ```
    pub fn warm_stream<'a>(&self, keys: impl Stream<Item: Into<Key<K>>> + Send + 'a) -> Warm<'a, Key<K>, E> {
        self.warm_each_of(Keys::of_stream(keys))
    }
}
