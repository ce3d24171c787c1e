//! Freeing what has expired: `purge_expired` and, in pieces, `purge_page`.
//!
//! ```text
//! listing ──▶ first 67 bytes of each, 16 at a time ──▶ removal of the dead
//! (stream)    value: dead_at ≤ now? guard: its time?   (as in `clear`)
//! ```

use crate::Object;
use crate::clear::{FirstFailure, remove_all};
use crate::folder::{self, Shard};
use crate::frame::Stored;
use crate::listing::{Listed, PurgePosition};
use crate::object::Place;
use crate::read::HEAD_BYTES;
use bytes::Bytes;
use futures::{StreamExt, future};
use larder_core::{Clock, Error, ErrorKind, Result, envelope};
use object_store::path::Path;
use object_store::{Error as DriverError, ObjectStore};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Values that had expired and were removed.
    pub removed: u64,
    /// Guards whose time had passed and that were removed: places that loads had kept for their values.
    pub guards: u64,
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
    /// Removes nothing that is not an envelope. Of a large bucket [`purge_page`](Object::purge_page) does a part.
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
        self.purge(clock.wall(), &PurgePosition::default(), None).await.map(|(purged, _)| purged)
    }

    /// Removes what has expired among the next `most` objects after `from`, and returns how far it came: `None` when
    /// it came to the end.
    ///
    /// As [`purge_expired`](Object::purge_expired), in pieces of bounded length: an object more or less costs one
    /// small read. The position is a text, so that another process may go on with it. What is written before it in
    /// the order of names is found by the next round; what is written behind it, by this one. Files that crashed
    /// writers left are looked for by the piece that begins at the beginning.
    ///
    /// # Errors
    ///
    /// The first error of the driver, of [`ErrorKind::Store`]: go on from the same place, what is gone is gone.
    /// [`ErrorKind::Unsupported`] where a driver that was given does not list in the order of names.
    ///
    /// # Cancel safety
    ///
    /// As [`purge_expired`](Object::purge_expired): go on from the same place.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::{ByteStore, SystemClock};
    /// use larder_object::{Object, PurgePosition};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Object::in_memory();
    /// for number in 0..25 {
    ///     store.put(&format!("pages:{number}"), "no envelope".into(), None).await?;
    /// }
    ///
    /// let (mut pages, mut from) = (0, Some(PurgePosition::default()));
    /// while let Some(position) = from {
    ///     let (purged, next) = store.purge_page(&SystemClock, &position, 10).await?;
    ///     assert!(purged.examined <= 10);
    ///     (pages, from) = (pages + 1, next);
    /// }
    /// assert_eq!(pages, 3);
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn purge_page(
        &self,
        clock: &(impl Clock + ?Sized),
        from: &PurgePosition,
        most: u64,
    ) -> Result<(Purged, Option<PurgePosition>)> {
        self.purge(clock.wall(), from, Some(most.max(1))).await
    }

    async fn purge(
        &self,
        now: SystemTime,
        from: &PurgePosition,
        most: Option<u64>,
    ) -> Result<(Purged, Option<PurgePosition>)> {
        let leftovers = if from.is_start() { self.remove_leftovers(now).await } else { 0 };
        let failure = FirstFailure::default();
        let page = Arc::new(Page { most, ..Page::default() });
        let look =
            Look { driver: Arc::clone(&self.driver), now, page: Arc::clone(&page), failure: failure.clone() };

        let (unlisted, pager) = (failure.clone(), Arc::clone(&page));
        let dead = self
            .list_from(from)
            .await
            .filter_map(move |listed| future::ready(unlisted.unless_failed(listed)))
            .take_while(move |listed| future::ready(pager.takes(&listed.path)))
            .map(move |listed| look.clone().examine(listed))
            .buffer_unordered(CONCURRENT_READS)
            .filter_map(future::ready);
        let removed = remove_all(&*self.driver, dead.boxed(), &failure, |path| {
            self.forget(path);
            page.removed(path);
        })
        .await;

        failure.into_result()?;
        if page.lock().out_of_order {
            let message =
                "the driver lists in no order, so a purge cannot stop and go on; use `purge_expired`";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let guards = page.lock().guards_removed;
        let purged = Purged {
            examined: page.examined.load(Relaxed),
            removed: removed - guards,
            guards,
            unreadable: page.unreadable.load(Relaxed),
            leftovers,
        };
        let next = page.lock().next.take();
        Ok((purged, next))
    }

    /// Returns how many files of crashed writers were removed.
    async fn remove_leftovers(&self, now: SystemTime) -> u64 {
        let Place::Folder(root) = &self.place else { return 0 };
        let root = Arc::clone(root);
        let before = now.checked_sub(STAGED_FOR).unwrap_or(SystemTime::UNIX_EPOCH);
        let remove = move || Shard::all(&root).iter().map(|shard| shard.remove_staged(before)).sum();
        folder::blocking(remove).await.unwrap_or(0)
    }
}

/// What was done of one page.
#[derive(Default)]
struct Page {
    /// Objects to look at, if not all.
    most: Option<u64>,
    /// Held for the look at one name.
    place: Mutex<InPage>,
    examined: AtomicU64,
    unreadable: AtomicU64,
}

#[derive(Default)]
struct InPage {
    taken: u64,
    last: Option<Path>,
    /// Where the next page begins, once there is more than this one takes.
    next: Option<PurgePosition>,
    out_of_order: bool,
    /// Guards that are about to be removed: as many as a request of the driver takes.
    guards: HashSet<Path>,
    guards_removed: u64,
}

impl Page {
    /// Tells whether the page goes on with this object.
    fn takes(&self, path: &Path) -> bool {
        let mut place = self.lock();
        let Some(most) = self.most else { return true };
        // Else what comes later in the listing may be before the place where the next page begins.
        place.out_of_order |= place.last.as_ref().is_some_and(|last| last >= path);
        if place.out_of_order {
            return false;
        }
        if place.taken == most {
            place.next = place.last.as_ref().map(PurgePosition::after);
            return false;
        }
        place.taken += 1;
        place.last = Some(path.clone());
        true
    }

    /// Takes note that an object is gone.
    fn removed(&self, path: &Path) {
        let mut place = self.lock();
        let was_guard = place.guards.remove(path);
        place.guards_removed += u64::from(was_guard);
    }

    fn lock(&self) -> MutexGuard<'_, InPage> {
        // Nothing in it panics.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the look at an object needs.
#[derive(Clone)]
struct Look {
    driver: Arc<dyn ObjectStore>,
    now: SystemTime,
    page: Arc<Page>,
    failure: FirstFailure,
}

impl Look {
    /// Returns the path of an object that is dead.
    async fn examine(self, listed: Listed) -> Option<Path> {
        let head = match head(&*self.driver, &listed).await {
            // Someone else removed it.
            Err(DriverError::NotFound { .. }) => return None,
            read => self.failure.unless_failed(read)?,
        };
        self.page.examined.fetch_add(1, Relaxed);
        let is_dead = match Stored::read(head) {
            Stored::Guard { until, .. } => {
                let is_over = until <= self.now;
                if is_over {
                    self.page.lock().guards.insert(listed.path.clone());
                }
                is_over
            }
            Stored::Value { bytes, .. } => match envelope::dead_at(&bytes) {
                Ok(dead_at) => dead_at.is_some_and(|dead_at| dead_at <= self.now),
                Err(_) => {
                    self.page.unreadable.fetch_add(1, Relaxed);
                    false
                }
            },
        };
        is_dead.then_some(listed.path)
    }
}

async fn head(driver: &dyn ObjectStore, listed: &Listed) -> object_store::Result<Bytes> {
    let length = listed.bytes.min(HEAD_BYTES);
    if length == 0 {
        // No range of nothing can be asked for.
        return Ok(Bytes::new());
    }
    // For a file one turn on a thread for blocking work, where `get_range` takes two.
    let mut parts = driver.get_ranges(&listed.path, std::slice::from_ref(&(0..length))).await?;
    Ok(parts.pop().unwrap_or_default())
}
