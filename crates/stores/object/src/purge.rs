//! Freeing what has expired: `purge_expired`.
//!
//! ```text
//! listing ──▶ first 40 bytes of each, 16 at a time ──▶ removal of the dead
//! (stream)    dead_at ≤ now?                           (as in `clear`)
//! ```

use crate::clear::{FirstFailure, remove_all};
use crate::object::Place;
use crate::{Object, folder, name};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt, future};
use larder_core::{Clock, Result, envelope};
use object_store::path::Path;
use object_store::{Error as DriverError, ObjectMeta, ObjectStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// Reads that are under way at the same time.
const CONCURRENT_READS: usize = 16;
/// A put takes seconds at most, so a staged file of this age belongs to nobody.
const STAGED_FOR: Duration = Duration::from_secs(3600);

/// What [`Object::purge_expired`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// Objects whose beginning was read, in all namespaces.
    pub examined: u64,
    /// Objects that had expired and were removed.
    pub removed: u64,
    /// Objects that have the name of ours and are no envelope which this release can read. They were left
    /// alone.
    pub unreadable: u64,
    /// Files that a put staged and left behind when its process ended, and that were removed.
    pub leftovers: u64,
}

impl Object {
    /// Removes what has expired, stale windows included, in all namespaces.
    ///
    /// Call it now and then, from one process: once an hour, say. Of each object only the beginning is read,
    /// 16 at a time, and the listing is a stream, so memory does not grow with the number of objects. In a
    /// folder, files that crashed writers left behind are removed as well, an hour after their last change.
    /// Removes nothing that is not an envelope.
    ///
    /// Not promised: a value that is written anew between the look at the old one and its removal may be
    /// removed in its place. That is a miss, never a wrong value. Whether something has expired is judged by
    /// the time of day of `clock`, as is every deadline that travels: a clock that is ahead purges too early.
    ///
    /// # Errors
    ///
    /// The first error of the driver, of [`ErrorKind::Store`](larder_core::ErrorKind::Store). All the rest
    /// has been purged, unless it was the listing that broke off.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the purge. What was removed is gone, nothing else has changed.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_codecs::Json;
    /// use larder_core::Cache;
    /// use larder_object::Object;
    /// use std::time::Duration;
    /// # mod doc { include!("../tests/support/clock.rs"); }
    /// # use doc::HandClock;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let clock = HandClock::default();
    /// let store = Object::in_memory();
    /// let ages = Cache::new(store.clone()).codec(Json).ttl(Duration::from_secs(60)).clock(clock.clone());
    /// ages.insert("ada", 36_u32).await?;
    ///
    /// # clock.advance(Duration::from_secs(61));
    /// // A minute later; outside of tests the clock is `SystemClock`.
    /// let purged = store.purge_expired(&clock).await?;
    /// assert_eq!((purged.examined, purged.removed), (1, 1));
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn purge_expired(&self, clock: &(impl Clock + ?Sized)) -> Result<Purged> {
        let now = clock.wall();
        let (driver, failure) = (Arc::clone(&self.driver), FirstFailure::default());
        let tally = Arc::new(Tally::default());
        let (folders, leftovers) = self.look_around(now).await;

        let (reader, counts, noted) = (Arc::clone(&driver), Arc::clone(&tally), failure.clone());
        let unlisted = failure.clone();
        let dead = listed(Arc::clone(&driver), folders)
            .try_filter(|meta| future::ready(name::is_object(&meta.location)))
            .filter_map(move |listed| future::ready(unlisted.unless_failed(listed)))
            .map(move |meta| examine(Arc::clone(&reader), meta, now, Arc::clone(&counts), noted.clone()))
            .buffer_unordered(CONCURRENT_READS)
            .filter_map(future::ready);
        let removed = remove_all(&*driver, dead.boxed(), &failure).await;

        failure.into_result()?;
        let (examined, unreadable) = (tally.examined.load(Relaxed), tally.unreadable.load(Relaxed));
        Ok(Purged { examined, removed, unreadable, leftovers })
    }

    /// Returns the folders to list, if they are known, and how many leftovers were removed from them.
    ///
    /// A folder of the disk may have other inhabitants, down to some that cannot be listed (`lost+found`), so
    /// nothing but our own folders is entered.
    async fn look_around(&self, now: SystemTime) -> (Option<Vec<Path>>, u64) {
        let Place::Folder(root) = &self.place else { return (None, 0) };
        let root = Arc::clone(root);
        let look = move || {
            let folders = folder::ours(&root);
            let before = now.checked_sub(STAGED_FOR).unwrap_or(SystemTime::UNIX_EPOCH);
            let leftovers = folders.iter().map(|name| folder::remove_staged(&root.join(name), before)).sum();
            (Some(folders.into_iter().map(Path::from).collect()), leftovers)
        };
        match tokio::runtime::Handle::try_current() {
            // Cut off with its runtime, it has found no folder: never the whole root.
            Ok(runtime) => runtime.spawn_blocking(look).await.unwrap_or((Some(Vec::new()), 0)),
            Err(_) => look(),
        }
    }
}

#[derive(Default)]
struct Tally {
    examined: AtomicU64,
    unreadable: AtomicU64,
}

fn listed(
    driver: Arc<dyn ObjectStore>,
    folders: Option<Vec<Path>>,
) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
    match folders {
        None => driver.list(None),
        Some(folders) => stream::iter(folders).flat_map(move |folder| driver.list(Some(&folder))).boxed(),
    }
}

/// Returns the path of an object that is dead.
async fn examine(
    driver: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    now: SystemTime,
    tally: Arc<Tally>,
    failure: FirstFailure,
) -> Option<Path> {
    let head = match head(&*driver, &meta).await {
        // Someone else removed it.
        Err(DriverError::NotFound { .. }) => return None,
        read => failure.unless_failed(read)?,
    };
    tally.examined.fetch_add(1, Relaxed);
    if let Ok(dead_at) = envelope::dead_at(&head) {
        dead_at.is_some_and(|dead_at| dead_at <= now).then_some(meta.location)
    } else {
        tally.unreadable.fetch_add(1, Relaxed);
        None
    }
}

async fn head(driver: &dyn ObjectStore, meta: &ObjectMeta) -> object_store::Result<Bytes> {
    let length = meta.size.min(envelope::HEAD_BYTES as u64);
    if length == 0 {
        // No range of nothing can be asked for.
        return Ok(Bytes::new());
    }
    // For a file one turn on a thread for blocking work, where `get_range` takes two.
    let mut parts = driver.get_ranges(&meta.location, std::slice::from_ref(&(0..length))).await?;
    Ok(parts.pop().unwrap_or_default())
}
