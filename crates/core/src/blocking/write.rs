//! Writing, for synchronous code.

use super::Blocking;
use crate::holds::Holds;
use crate::{InsertOptions, Lookup, Result};

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Puts `value` under `key` in every level, in place of what was there: [`Cache::insert`](crate::Cache::insert).
    ///
    /// # Errors
    ///
    /// As for [`Cache::insert`](crate::Cache::insert).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking). The value may be written, or not, then.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert("ada", 35)?;
    /// ages.insert("ada", 36)?;
    /// assert_eq!(ages.get("ada")?, Some(36));
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn insert(&self, key: &K, value: V) -> Result<()> {
        self.wait(self.cache.insert(key, value))
    }

    /// Puts `value` under `key`, with a life of its own: [`Cache::insert_with`](crate::Cache::insert_with).
    ///
    /// # Errors
    ///
    /// As for [`Cache::insert`](crate::Cache::insert).
    ///
    /// # Panics
    ///
    /// As for [`insert`](Self::insert).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).ttl(secs(60)).blocking();
    /// ages.insert_with("ada", 36, |entry| entry.ttl(hours(1)))?;
    /// assert!(ages.lookup("ada")?.and_then(|found| found.ttl_left()) > Some(secs(3500)));
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn insert_with(
        &self,
        key: &K,
        value: V,
        options: impl FnOnce(InsertOptions) -> InsertOptions,
    ) -> Result<()> {
        self.wait(self.cache.insert_with(key, value, options))
    }

    /// Removes what is under `key` from every level: [`Cache::remove`](crate::Cache::remove).
    ///
    /// # Errors
    ///
    /// As for [`Cache::remove`](crate::Cache::remove).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking). It may be removed, or not, then.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert("ada", 36)?;
    /// ages.remove("ada")?;
    /// assert_eq!(ages.get("ada")?, None);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn remove(&self, key: &K) -> Result<()> {
        self.wait(self.cache.remove(key))
    }

    /// Ends the life of what is under `key`, and keeps it for loads that fail: [`Cache::expire`](crate::Cache::expire).
    ///
    /// # Errors
    ///
    /// As for [`Cache::expire`](crate::Cache::expire).
    ///
    /// # Panics
    ///
    /// As for [`remove`](Self::remove).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).stale_if_error(hours(24)).blocking();
    /// ages.insert("ada", 36)?;
    /// ages.expire("ada")?;
    /// assert_eq!(ages.get("ada")?, None);
    /// assert_eq!(ages.get_or_load("ada", || Err("the database is down")).unwrap(), 36);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn expire(&self, key: &K) -> Result<()> {
        self.wait(self.cache.expire(key))
    }

    /// Removes every entry of this cache from every level: [`Cache::clear`](crate::Cache::clear).
    ///
    /// # Errors
    ///
    /// As for [`Cache::clear`](crate::Cache::clear).
    ///
    /// # Panics
    ///
    /// As for [`remove`](Self::remove).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// ages.insert("ada", 36)?;
    /// ages.clear()?;
    /// assert_eq!(ages.get("ada")?, None);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn clear(&self) -> Result<()> {
        self.wait(self.cache.clear())
    }

    /// Returns when all that was queued before the call is written or given up: [`Cache::flush`](crate::Cache::flush).
    ///
    /// What is queued is written by the runtime of who queued it, or by this call where there is none.
    ///
    /// # Errors
    ///
    /// As for [`Cache::flush`](crate::Cache::flush).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Behind, prelude::*};
    ///
    /// let ages = Cache::new(Object::in_memory()).codec(Json).write(Behind::default()).blocking();
    /// ages.insert("ada", 36_u32)?;
    /// ages.flush()?;
    /// assert_eq!(ages.cache().stats().levels[0].writes, 1);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn flush(&self) -> Result<()> {
        self.wait(self.cache.flush())
    }

    /// Writes all that is queued, and ends the queues: [`Cache::shutdown`](crate::Cache::shutdown).
    ///
    /// # Errors
    ///
    /// As for [`Cache::shutdown`](crate::Cache::shutdown).
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Behind, prelude::*};
    ///
    /// let ages = Cache::new(Object::in_memory()).codec(Json).write(Behind::default()).blocking();
    /// ages.insert("ada", 36_u32)?;
    /// ages.shutdown()?;
    /// assert_eq!(ages.cache().stats().levels[0].writes, 1);
    /// # larder::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn shutdown(&self) -> Result<()> {
        self.wait(self.cache.shutdown())
    }
}
