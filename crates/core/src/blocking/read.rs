//! Reading, for synchronous code.

use super::Blocking;
use crate::holds::Holds;
use crate::{Found, Lookup, Result};

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Returns the value under `key`, fresh or stale, from the first level that has it: [`Cache::get`](crate::Cache::get).
    ///
    /// # Errors
    ///
    /// As for [`Cache::get`](crate::Cache::get).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// assert_eq!(ages.get("ada")?, None);
    /// ages.insert("ada", 36)?;
    /// assert_eq!(ages.get("ada")?, Some(36));
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        self.wait(self.cache.get(key))
    }

    /// Returns the value under `key` if the first level keeps it in memory: [`Cache::get_now`](crate::Cache::get_now).
    #[inline]
    pub fn get_now(&self, key: &K) -> Option<V> {
        self.cache.get_now(key)
    }

    /// Returns the value under `key` with the level it came from, its age and what it has left:
    /// [`Cache::lookup`](crate::Cache::lookup).
    ///
    /// # Errors
    ///
    /// As for [`Cache::get`](crate::Cache::get).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert("ada", 36)?;
    /// assert_eq!(ages.lookup("ada")?.map(|found| found.level()), Some(0));
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn lookup(&self, key: &K) -> Result<Option<Found<V>>> {
        self.wait(self.cache.lookup(key))
    }

    /// Returns whether some level has a value under `key`, fresh or stale: [`Cache::contains`](crate::Cache::contains).
    ///
    /// # Errors
    ///
    /// As for [`Cache::get`](crate::Cache::get).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// assert!(!ages.contains("ada")?);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn contains(&self, key: &K) -> Result<bool> {
        self.wait(self.cache.contains(key))
    }
}
