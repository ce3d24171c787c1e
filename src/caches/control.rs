//! What is done to all caches of a registry, or to one by its name.

use super::managed::{BoxFuture, Managed, all};
use super::state::Slot;
use super::{shown, wrong};
use crate::{Caches, Error, Result, Stats};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

impl Caches {
    /// Returns the names, in their order.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{CacheSettings, Caches};
    ///
    /// let caches = Caches::default();
    /// let _squares = caches.memory::<u64, u64>("squares", CacheSettings::new())?;
    /// let _cubes = caches.memory::<u64, u64>("cubes", CacheSettings::new())?;
    /// assert_eq!(caches.names(), ["cubes", "squares"]);
    /// # larder::Result::Ok(())
    /// ```
    pub fn names(&self) -> Vec<String> {
        self.made().into_iter().map(|(name, _)| name).collect()
    }

    /// Returns what each cache has counted: [`Cache::stats`](crate::Cache::stats).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{CacheSettings, Caches};
    ///
    /// let caches = Caches::default();
    /// let squares = caches.memory::<u64, u64>("squares", CacheSettings::new())?;
    /// squares.blocking().insert(&3, 9)?;
    /// assert_eq!(caches.stats()["squares"].levels[0].writes, 1);
    /// # larder::Result::Ok(())
    /// ```
    pub fn stats(&self) -> BTreeMap<String, Stats> {
        self.each(|cache| cache.stats()).into_iter().collect()
    }

    /// Returns what TOML and the environment say of caches that were not made: `[caches.<name>]` of TOML, and names of
    /// variables. Where all caches are made at the beginning, these are mistakes; but variables that begin with `LARDER_`
    /// may be there for others.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, CacheSettings, Settings};
    ///
    /// let caches = Caches::new(Settings::from_vars([("LARDER_USERS_TTL", "5s"), ("LARDER_AGES_TTL", "5s")])?);
    /// let _squares = caches.memory::<u64, u64>("ages", CacheSettings::new())?;
    /// assert_eq!(caches.unused_settings(), ["LARDER_USERS_TTL"]);
    /// # larder::Result::Ok(())
    /// ```
    pub fn unused_settings(&self) -> Vec<String> {
        let names = self.names();
        self.state().settings.said_of_others(&names)
    }

    /// Lets every read of this cache miss: [`Cache::pause_reads`](crate::Cache::pause_reads).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is no such cache; the error names those there are. So of the three that follow.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{CacheSettings, Caches};
    ///
    /// let caches = Caches::default();
    /// let squares = caches.memory::<u64, u64>("squares", CacheSettings::new())?;
    /// caches.pause_reads("squares")?;
    /// caches.pause_writes("squares")?;
    /// assert!(!squares.is_reading() && !squares.is_writing());
    ///
    /// caches.resume_reads("squares")?;
    /// caches.resume_writes("squares")?;
    /// assert!(squares.is_reading() && squares.is_writing());
    /// # larder::Result::Ok(())
    /// ```
    pub fn pause_reads(&self, name: &str) -> Result<()> {
        self.one(name, |cache| cache.set_reading(false))
    }

    /// Ends what [`pause_reads`](Self::pause_reads) began.
    pub fn resume_reads(&self, name: &str) -> Result<()> {
        self.one(name, |cache| cache.set_reading(true))
    }

    /// Stores nothing in this cache: [`Cache::pause_writes`](crate::Cache::pause_writes).
    pub fn pause_writes(&self, name: &str) -> Result<()> {
        self.one(name, |cache| cache.set_writing(false))
    }

    /// Ends what [`pause_writes`](Self::pause_writes) began.
    pub fn resume_writes(&self, name: &str) -> Result<()> {
        self.one(name, |cache| cache.set_writing(true))
    }

    /// Removes every entry of every cache: [`Cache::clear`](crate::Cache::clear), of all at the same time.
    ///
    /// # Errors
    ///
    /// The first error of a cache, in the order of the names; all are tried.
    ///
    /// # Cancel safety
    ///
    /// As of [`Cache::clear`](crate::Cache::clear).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{CacheSettings, Caches};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let caches = Caches::default();
    /// let squares = caches.memory::<u64, u64>("squares", CacheSettings::new())?;
    /// squares.insert(&3, 9).await?;
    /// caches.clear().await?;
    /// assert_eq!(squares.get(&3).await?, None);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn clear(&self) -> Result<()> {
        self.all_of_them(|cache| cache.clear()).await
    }

    /// Writes all that is queued anywhere, and ends the queues: [`Cache::shutdown`](crate::Cache::shutdown), of all at the same time. The place for it
    /// is the end of a service.
    ///
    /// # Errors
    ///
    /// The first error of a cache, in the order of the names; all are tried.
    ///
    /// # Cancel safety
    ///
    /// As of [`Cache::shutdown`](crate::Cache::shutdown).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Behind, Caches, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # #[cfg(feature = "object")] {
    /// let caches = Caches::default();
    /// let ages = Cache::new(Object::in_memory()).codec(Json).write(Behind::default());
    /// caches.add("ages", &ages)?;
    /// ages.insert("ada", 36_u32).await?;
    /// caches.shutdown().await?;
    /// assert_eq!(ages.stats().levels[0].writes, 1);
    /// # }
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn shutdown(&self) -> Result<()> {
        self.all_of_them(|cache| cache.shutdown()).await
    }

    async fn all_of_them(
        &self,
        work: impl for<'a> Fn(&'a dyn Managed) -> BoxFuture<'a, Result<()>> + Send + Sync,
    ) -> Result<()> {
        let made = self.made();
        let mut under_way: Vec<BoxFuture<'_, Result<()>>> = Vec::new();
        for (name, slot) in &made {
            let Some(made) = slot.made.get() else { continue };
            let work = work(&*made.managed);
            under_way.push(Box::pin(async move {
                work.await
                    .map_err(|error| Error::new(error.kind(), format!("cache `{name}`")).caused_by(error))
            }));
        }
        all(under_way).await.into_iter().collect()
    }

    /// The caches that are made.
    fn made(&self) -> Vec<(String, Arc<Slot>)> {
        let state = self.state();
        let made = state.slots.iter().filter(|(_, slot)| slot.made.get().is_some());
        made.map(|(name, slot)| (name.clone(), Arc::clone(slot))).collect()
    }

    /// Asks each cache, while nothing is locked.
    fn each<T>(&self, ask: impl Fn(&dyn Managed) -> T) -> Vec<(String, T)> {
        let made = self.made().into_iter();
        made.filter_map(|(name, slot)| Some((name, ask(&*slot.made.get()?.managed)))).collect()
    }

    fn one(&self, name: &str, work: impl Fn(&dyn Managed)) -> Result<()> {
        let made = self.made();
        let found = made.iter().find(|(known, _)| known == name).and_then(|(_, slot)| slot.made.get());
        let Some(found) = found else {
            let known = made.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(wrong(format!("there is no cache {}; there are {known}", shown(name))));
        };
        work(&*found.managed);
        Ok(())
    }
}

impl fmt::Debug for Caches {
    /// Prints the caches, each as a tree of its levels, without keys, values or addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut caches = f.debug_map();
        for (name, cache) in self.each(|cache| format!("{cache:?}")) {
            caches.entry(&name, &format_args!("{cache}"));
        }
        caches.finish()
    }
}
