//! The files of a folder, counted and bounded: `max_bytes_on_disk`.
//!
//! Which files there are is found once, when the bound is set, and kept up to date with what this process writes,
//! reads and removes. What others do in the folder is found by counting anew, after each quarter of the bound that was
//! written.

mod index;

use crate::Object;
use crate::clear::{FirstFailure, remove_all};
use crate::folder::{self, Shard};
use crate::object::Place;
use futures::StreamExt;
use futures::stream;
use index::Index;
use larder_core::{Error, ErrorKind, Result, Usage};
use object_store::ObjectStore;
use object_store::path::Path;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// After so many parts of the bound were written, the files are counted anew.
const PARTS_BETWEEN_COUNTS: u64 = 4;

impl Object {
    /// Keeps the objects of a folder below `bytes`, by removing those that were not used for the longest time.
    ///
    /// A file is counted in whole blocks of 4 KiB. *Used* is what this process read or wrote; files from before are
    /// in the order of their last write. Room is made before a value is written, so the folder exceeds the bound by
    /// what is being written at the moment at most, and by what others write: each process that shares the folder
    /// keeps to its own count and finds the files of the others when it counts anew, after each quarter of
    /// `bytes` that it wrote. So *n* processes may together have up to `bytes` · (1 + *n*/4).
    ///
    /// Removes nothing but objects, by their names. Goes through the whole folder once before it returns, with blocking
    /// I/O, a file's entry at a time (about 100,000 a second), and keeps about 150 bytes of memory for each.
    ///
    /// # Default
    ///
    /// - no bound: nothing is evicted
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] for what is no folder; [`ErrorKind::Config`] for less than 4 KiB, where no object
    /// has room.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ByteStore;
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let scratch = tempfile::tempdir().unwrap();
    /// # let folder = scratch.path();
    /// let store = Object::local(folder)?.max_bytes_on_disk(12 << 10)?;
    /// for key in ["pages:1", "pages:2", "pages:3", "pages:4"] {
    ///     store.put(key, vec![7; 4_096].into(), None).await?;
    /// }
    /// assert_eq!(store.get("pages:1").await?, None);
    /// assert_eq!(store.usage().unwrap().weight, 12 << 10);
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub fn max_bytes_on_disk(mut self, bytes: u64) -> Result<Self> {
        let Place::Folder(root) = &self.place else {
            let message = "only the size of a folder can be bounded; a bucket has lifecycle rules for that";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        if bytes < index::BLOCK {
            let message = format!("`.max_bytes_on_disk({bytes})`: an object takes at least 4,096");
            return Err(Error::new(ErrorKind::Config, message));
        }
        let disk = Disk {
            root: Arc::clone(root),
            max_bytes: bytes,
            index: Mutex::default(),
            is_counting: AtomicBool::new(false),
            counting: Mutex::default(),
        };
        disk.count();
        self.disk = Some(Arc::new(disk));
        Ok(self)
    }

    /// Counts the files of a folder whose size is bounded, for what others did there; and evicts what is too much.
    /// Does nothing elsewhere.
    ///
    /// It is done by itself from time to time, see [`max_bytes_on_disk`](Object::max_bytes_on_disk).
    ///
    /// # Cancel safety
    ///
    /// The count goes on to its end on a thread for blocking work; nothing is evicted.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ByteStore;
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let scratch = tempfile::tempdir().unwrap();
    /// # let folder = scratch.path();
    /// let store = Object::local(folder)?.max_bytes_on_disk(1 << 30)?;
    /// let other = Object::local(folder)?;
    /// other.put("pages:1", "by another process".into(), None).await?;
    /// assert_eq!(store.usage().unwrap().entries, 0);
    ///
    /// store.recount().await;
    /// assert_eq!(store.usage().unwrap().entries, 1);
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn recount(&self) {
        let Some(disk) = &self.disk else { return };
        let counted = Arc::clone(disk);
        folder::blocking(move || counted.count()).await;
        disk.evict(&*self.driver, |index| index.victims(disk.max_bytes)).await;
    }
}

pub(crate) struct Disk {
    root: Arc<std::path::Path>,
    max_bytes: u64,
    /// Which files there are. Held for a look or a change, and when a count is brought in; never across I/O.
    index: Mutex<Index>,
    /// Whether a count is on its way that nobody asked for: one is enough.
    is_counting: AtomicBool,
    /// Held during a count, so that the one that is brought in last also began last.
    counting: Mutex<()>,
}

impl Disk {
    pub(crate) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    pub(crate) fn usage(&self) -> Usage {
        let index = self.lock();
        Usage::new(index.files(), index.bytes()).of(self.max_bytes)
    }

    /// Removes files until one of `bytes` has room at `path`.
    pub(crate) async fn make_room(&self, driver: &dyn ObjectStore, path: &Path, bytes: u64) {
        self.evict(driver, |index| index.victims_for(path, bytes, self.max_bytes)).await;
    }

    async fn evict(&self, driver: &dyn ObjectStore, choose: impl FnOnce(&mut Index) -> Vec<Path>) {
        let victims = choose(&mut self.lock());
        if victims.is_empty() {
            return;
        }
        // What cannot be removed is found again by the next count; the put that wanted the room goes on.
        let failure = FirstFailure::default();
        remove_all(driver, stream::iter(victims).boxed(), &failure, |_| {}).await;
    }

    /// Takes note of a write, and has the files counted if it is time.
    pub(crate) fn wrote(self: &Arc<Self>, path: &Path, bytes: u64) {
        let is_due = self.lock().wrote(path, bytes) >= self.max_bytes / PARTS_BETWEEN_COUNTS;
        if is_due && !self.is_counting.swap(true, SeqCst) {
            let disk = Arc::clone(self);
            let count = move || {
                disk.count();
                disk.is_counting.store(false, SeqCst);
            };
            match tokio::runtime::Handle::try_current() {
                // Reads entries of the folder and nothing else, so that nobody has to wait for its end.
                Ok(runtime) => drop(runtime.spawn_blocking(count)),
                Err(_) => count(),
            }
        }
    }

    pub(crate) fn used(&self, path: &Path) {
        self.lock().used(path);
    }

    pub(crate) fn removed(&self, path: &Path) {
        self.lock().removed(path);
    }

    pub(crate) fn cleared(&self, folder: &str) {
        self.lock().cleared(folder);
    }

    /// Goes through the folder and brings the index into line with it.
    fn count(&self) {
        let _alone = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        let began = self.lock().begin_count();
        let mut found = Vec::new();
        for shard in Shard::all(&self.root) {
            // A folder that cannot be read has nothing that could be evicted.
            found.extend(shard.files().unwrap_or_default());
        }
        found.sort_by_key(|file| file.changed);
        self.lock().end_count(began, &found);
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        // Its methods do not panic between two changes that belong together.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}
