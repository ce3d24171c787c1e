//! The store: one object a key.

use crate::name;
use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Cleared, Error, ErrorKind, Result, Time, Usage};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{Error as DriverError, ObjectStore, ObjectStoreExt, PutPayload};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What a level allows by itself, 64 MiB, and room for header and key.
const DEFAULT_MAX_OBJECT_BYTES: u64 = (64 << 20) + (64 << 10);

/// A store that keeps one object a key: in a folder, or wherever the crate [`object_store`] has a driver for.
///
/// A handle: clones are the same store, so that one may stay behind to [purge](Object::purge_expired). The
/// crate's documentation tells where an object is and what may be found in its place.
///
/// # Default
///
/// - largest object: 64 MiB and 64 KiB for header and key, see [`max_object_bytes`](Object::max_object_bytes)
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
    max_object_bytes: u64,
}

/// What is known of where the objects are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Folder(Arc<Path>),
    Memory,
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
    /// [`PrefixStore`](object_store::prefix::PrefixStore). Time-outs, retries and credentials are the
    /// driver's.
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

    /// Neither reads nor writes objects of more than `bytes`.
    ///
    /// The size is known before the content is read, so that whatever lies in the place of an object, no more
    /// memory than this is used for it. A larger object is an error of [`ErrorKind::TooLarge`] (through a
    /// cache a miss and an event); a put that is refused removes the older object.
    ///
    /// # Default
    ///
    /// - 64 MiB and 64 KiB: what a cache allows by itself ([`Cache::max_value_bytes`]), and a little
    ///
    /// [`Cache::max_value_bytes`]: larder_core::Cache::max_value_bytes
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::{ByteStore, ErrorKind};
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Object::in_memory().max_object_bytes(1_000);
    /// let error = store.put("pages:/", vec![0; 1_001].into(), None).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TooLarge);
    /// # });
    /// ```
    pub fn max_object_bytes(mut self, bytes: u64) -> Self {
        self.max_object_bytes = bytes;
        self
    }

    fn with(driver: Arc<dyn ObjectStore>, place: Place) -> Self {
        Object { driver, place, max_object_bytes: DEFAULT_MAX_OBJECT_BYTES }
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        let most = self.max_object_bytes;
        if bytes <= most {
            return Ok(());
        }
        let message = format!(
            "an object of {bytes} bytes, where {most} are allowed; `.max_object_bytes(n)` allows more"
        );
        Err(Error::new(ErrorKind::TooLarge, message))
    }
}

impl ByteStore for Object {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let found = match self.driver.get(&name::path(key)).await {
            Ok(found) => found,
            Err(DriverError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(Error::store(error)),
        };
        self.check_size(found.meta.size)?;
        found.bytes().await.map(Some).map_err(Error::store)
    }

    /// Ignores `expires_at`: the bytes say it too, and [`purge_expired`](Object::purge_expired) reads it
    /// there.
    async fn put(&self, key: &str, bytes: Bytes, _expires_at: Option<SystemTime>) -> Result<()> {
        if let Err(too_large) = self.check_size(bytes.len() as u64) {
            // What cannot be written here must not leave the older value in its place.
            self.remove(key).await?;
            return Err(too_large);
        }
        let put = self.driver.put(&name::path(key), PutPayload::from(bytes)).await;
        put.map(drop).map_err(Error::store)
    }

    async fn remove(&self, key: &str) -> Result<()> {
        match self.driver.delete(&name::path(key)).await {
            Ok(()) | Err(DriverError::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::store(error)),
        }
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        match prefix.strip_suffix(':') {
            Some(namespace) if !namespace.contains(':') => self.clear_namespace(namespace).await,
            // No namespace and its colon, so no folder of ours.
            _ => Ok(Cleared::Unsupported),
        }
    }

    fn sweep(&self, _: Time) {}

    fn usage(&self) -> Option<Usage> {
        None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear()
    }
}

impl fmt::Debug for Object {
    /// Prints the folder, and nothing of a driver that was given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("place", &self.place)
            .field("max_object_bytes", &self.max_object_bytes)
            .finish_non_exhaustive()
    }
}

fn open(path: &Path) -> std::result::Result<Object, Box<dyn std::error::Error + Send + Sync>> {
    std::fs::create_dir_all(path)?;
    let root: PathBuf = std::fs::canonicalize(path)?;
    let driver = LocalFileSystem::new_with_prefix(&root)?;
    Ok(Object::with(Arc::new(driver), Place::Folder(root.into())))
}
