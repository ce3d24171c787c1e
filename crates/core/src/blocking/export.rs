//! What a memory holds, written down and taken over, for synchronous code: here nothing waits in either form.

use super::Blocking;
use crate::holds::Holds;
use crate::{Codec, Exported, Imported, Lookup, Result, Wire};
use std::io::{Read, Write};

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Writes down what the first level holds: [`Cache::export`](crate::Cache::export).
    ///
    /// # Errors
    ///
    /// As for [`Cache::export`](crate::Cache::export).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Wire, prelude::*};
    ///
    /// let ages = || Cache::new(Memory::<str, u32>::new(1_000)).name("ages").ttl(hours(1)).blocking();
    /// let before = ages();
    /// before.insert("ada", 36)?;
    /// let mut file = Vec::new();
    /// assert_eq!(before.export(&Wire::new(Json), &mut file)?.entries, 1);
    ///
    /// let after = ages();
    /// assert_eq!(after.import(&Wire::new(Json), &file[..])?.imported, 1);
    /// assert_eq!(after.get("ada")?, Some(36));
    /// # larder::Result::Ok(())
    /// ```
    pub fn export<W>(&self, wire: &Wire<W>, out: impl Write + Send) -> Result<Exported>
    where
        W: Codec<K::Owned> + Codec<V>,
    {
        self.cache.export(wire, out)
    }

    /// Writes down what the first level holds, in at most `max_bytes`:
    /// [`Cache::export_within`](crate::Cache::export_within).
    ///
    /// # Errors
    ///
    /// As for [`Cache::export`](crate::Cache::export).
    pub fn export_within<W>(&self, max_bytes: u64, wire: &Wire<W>, out: impl Write + Send) -> Result<Exported>
    where
        W: Codec<K::Owned> + Codec<V>,
    {
        self.cache.export_within(max_bytes, wire, out)
    }

    /// Takes what [`export`](Self::export) wrote into the first level: [`Cache::import`](crate::Cache::import).
    ///
    /// # Errors
    ///
    /// As for [`Cache::import`](crate::Cache::import).
    ///
    /// # Examples
    ///
    /// The example is at [`export`](Self::export).
    pub fn import<W>(&self, wire: &Wire<W>, from: impl Read) -> Result<Imported>
    where
        W: Codec<K::Owned> + Codec<V>,
    {
        self.cache.import(wire, from)
    }
}
