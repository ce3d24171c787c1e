//! The store: one object a key.

use crate::disk::Disk;
use crate::rewrite::Kept;
use larder_core::{Clock, Error, ErrorKind, Result, SystemClock};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a level allows by itself, 64 MiB, and room for header and key.
const DEFAULT_MAX_OBJECT_BYTES: u64 = (64 << 20) + (64 << 10);
const DEFAULT_CONCURRENCY: usize = 16;

/// A store that keeps one object a key: in a folder, or wherever the crate [`object_store`] has a driver for.
///
/// A handle: clones are the same store, so that one may stay behind to [purge](Object::purge_expired). The
/// crate's documentation tells where an object is and what may be found in its place.
///
/// # Default
///
/// - largest object: 64 MiB and 64 KiB for header and key, see [`max_object_bytes`](Object::max_object_bytes)
/// - keys of one batch at a time: 16, see [`concurrency`](Object::concurrency)
/// - time-out: 10 s for what [`open`](Object::open) found in a cloud, none elsewhere, see
///   [`timeout`](Object::timeout)
/// - compare-and-set: in memory and in clouds, see [`compare_and_set`](Object::compare_and_set)
///
/// # Cancel safety
///
/// A put or a removal in a folder goes on to its end if its future is dropped, where there is a Tokio
/// runtime: it runs on a thread for blocking work. Elsewhere it has happened or not, and never by half.
///
/// # Examples
///
/// ```
/// use larder_codecs::Json;
/// use larder_core::Cache;
/// use larder_object::Object;
/// use std::sync::Arc;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // One store, two caches, two namespaces.
/// let store = Object::in_memory();
/// let ages = Cache::new(store.clone()).codec(Json).namespace("ages");
/// let names = Cache::new(store).codec(Json).namespace("names");
///
/// ages.insert("ada", 36_u32).await?;
/// names.insert("ada", "Ada Lovelace".to_string()).await?;
/// ages.clear().await?;
/// assert_eq!(ages.get("ada").await?, None);
/// assert_eq!(names.get("ada").await?.as_deref(), Some("Ada Lovelace"));
/// # larder_core::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "a store does nothing until a cache is made of it"]
pub struct Object {
    pub(crate) driver: Arc<dyn ObjectStore>,
    pub(crate) place: Place,
    pub(crate) max_object_bytes: u64,
    pub(crate) concurrency: usize,
    /// Whether the driver puts on a condition, see `compare_and_set`.
    pub(crate) conditional: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) head_first: Option<u64>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What is known of the values that are stored, where writes are to be spared.
    pub(crate) kept: Option<Arc<Kept>>,
    /// The files of the folder, where their size is bounded.
    pub(crate) disk: Option<Arc<Disk>>,
}

/// What is known of where the objects are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Folder(Arc<Path>),
    Memory,
    /// A bucket that was opened by its address, which is here without settings.
    Bucket(Arc<str>),
    /// Someone else's driver, whose own `Debug` and `Display` may show passwords and are not called.
    Given,
}

impl Object {
    /// Opens the folder `path` and creates it if it is not there. What is in it already is used on.
    ///
    /// Processes may share a folder. A relative path is taken from the working directory of this moment. Does
    /// blocking I/O, a few system calls.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] with the path and the cure, where the folder cannot be created or entered.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_object::Object;
    ///
    /// # let scratch = tempfile::tempdir().unwrap();
    /// # let scratch = scratch.path();
    /// let store = Object::local(scratch.join("not/there/yet"))?;
    /// assert!(scratch.join("not/there/yet").is_dir());
    ///
    /// std::fs::write(scratch.join("file"), "in the way").unwrap();
    /// let error = Object::local(scratch.join("file")).unwrap_err();
    /// assert!(error.to_string().contains("choose another path"));
    /// # drop(store);
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn local(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        open(path).map_err(|error| {
            let cure = "choose another path, or create the folder and let this user write to it";
            let message = format!("cannot open the folder `{}`; {cure}", path.display());
            Error::new(ErrorKind::Store, message).caused_by(error)
        })
    }

    /// Makes a store in the memory of this process, for tests of what will be files or a bucket.
    ///
    /// Clones share what it holds; nothing is evicted. [`Memory`] of the crate `larder` is a first level,
    /// this is not.
    ///
    /// [`Memory`]: https://docs.rs/larder/latest/larder/struct.Memory.html
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ByteStore;
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Object::in_memory();
    /// store.put("users:ada", "1815".into(), None).await?;
    /// assert_eq!(store.clone().get("users:ada").await?, Some("1815".into()));
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub fn in_memory() -> Self {
        Self::with(Arc::new(InMemory::new()), Place::Memory)
    }

    /// Makes a store of a driver: a bucket of S3, GCS or Azure, or one's own.
    ///
    /// The only place at which the driver's crate shows. To keep to a part of a bucket, wrap the driver in
    /// [`PrefixStore`](object_store::prefix::PrefixStore). Retries and credentials are the driver's; a
    /// [`timeout`](Object::timeout) and [`compare_and_set`](Object::compare_and_set) have to be asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ByteStore;
    /// use larder_object::Object;
    /// use object_store::{memory::InMemory, prefix::PrefixStore};
    /// use std::sync::Arc;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let bucket = InMemory::new();
    /// let store = Object::from_store(Arc::new(PrefixStore::new(bucket, "caches/production")));
    /// store.put("users:ada", "1815".into(), None).await?;
    /// assert_eq!(store.get("users:ada").await?, Some("1815".into()));
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub fn from_store(driver: Arc<dyn ObjectStore>) -> Self {
        Self::with(driver, Place::Given)
    }

    pub(crate) fn with(driver: Arc<dyn ObjectStore>, place: Place) -> Self {
        Object {
            conditional: matches!(place, Place::Memory | Place::Bucket(_)),
            driver,
            place,
            max_object_bytes: DEFAULT_MAX_OBJECT_BYTES,
            concurrency: DEFAULT_CONCURRENCY,
            timeout: None,
            head_first: None,
            clock: Arc::new(SystemClock),
            kept: None,
            disk: None,
        }
    }

    /// Whether each write is told from every other by a frame. In a folder nobody asks, and files stay what was
    /// put.
    pub(crate) fn frames(&self) -> bool {
        !matches!(self.place, Place::Folder(_))
    }
}

impl fmt::Debug for Object {
    /// Prints the folder, and nothing of a driver that was given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("place", &self.place)
            .field("max_object_bytes", &self.max_object_bytes)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn open(path: &Path) -> std::result::Result<Object, Box<dyn std::error::Error + Send + Sync>> {
    std::fs::create_dir_all(path)?;
    let root: PathBuf = std::fs::canonicalize(path)?;
    let driver = LocalFileSystem::new_with_prefix(&root)?;
    Ok(Object::with(Arc::new(driver), Place::Folder(root.into())))
}
