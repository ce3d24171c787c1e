//! What can be said of a store once it is there.

use crate::Object;
use crate::frame::FRAME_BYTES;
use crate::object::Place;
use larder_core::{Clock, Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;

impl Object {
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

    /// Works on at most so many keys of one [`get_many`] or [`put_many`] at the same time; 0 counts as 1.
    ///
    /// [`remove_many`] goes as the driver does: 1,000 objects in a request to S3, 256 in one to Azure, ten files
    /// or ten requests to GCS at a time.
    ///
    /// [`get_many`]: larder_core::ByteStore::get_many
    /// [`put_many`]: larder_core::ByteStore::put_many
    /// [`remove_many`]: larder_core::ByteStore::remove_many
    ///
    /// # Default
    ///
    /// - 16 keys
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ByteStore;
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Object::in_memory().concurrency(64);
    /// store.put("users:ada", "1815".into(), None).await?;
    /// let found = store.get_many(&["users:bob", "users:ada"]).await;
    /// assert_eq!(found[1].as_ref().unwrap().as_deref(), Some(&b"1815"[..]));
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub fn concurrency(mut self, keys: usize) -> Self {
        self.concurrency = keys.max(1);
        self
    }

    /// Gives up on a call that has no answer after `span`, with [`ErrorKind::Timeout`].
    ///
    /// It counts for each key of a batch, for each thousand of a [`remove_many`](larder_core::ByteStore::remove_many),
    /// and for each step of [`check`](Object::check); not for `clear` and the purges, which are many calls. What was
    /// to be written may still arrive. A cache has a time-out of its own above this one,
    /// [`level_timeout`](larder_core::Cache::level_timeout), 1 s by itself: it is what callers feel, this one bounds
    /// how long a request goes on without them. For large values raise both: 64 MiB in 10 s are 54 Mbit/s.
    ///
    /// # Default
    ///
    /// - 10 s for what [`open`](Object::open) found in a cloud, whose requests end then as well, retries included
    /// - none for folders, memory and a driver that was given
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_object::Object;
    /// use std::time::Duration;
    ///
    /// let store = Object::in_memory().timeout(Duration::from_secs(2));
    /// assert!(format!("{store:?}").contains("2s"));
    /// ```
    pub fn timeout(mut self, span: Duration) -> Self {
        self.timeout = Some(span);
        self
    }

    /// Takes the time from `clock`: deadlines of guards, what [`head_first`](Object::head_first) and
    /// [`rewrite_after`](Object::rewrite_after) judge, time-outs. A cache has its own clock; give both the same.
    ///
    /// # Default
    ///
    /// - [`SystemClock`](larder_core::SystemClock)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::SystemClock;
    /// use larder_object::Object;
    ///
    /// let store = Object::in_memory().clock(SystemClock);
    /// # drop(store);
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Says whether the storage puts on a condition, so that the store can
    /// [compare and set](larder_core::ByteStore::put_if).
    ///
    /// S3, Azure and GCS do; some servers that speak the protocol of S3 or GCS ignore the condition and store
    /// blindly, which [`check`](Object::check) finds. GCS takes about one write of an object in a second, so that a load which
    /// is faster than its guard is old may be refused there: it reaches its caller and is not stored. It stays off for a folder, whatever is said here: files
    /// cannot be replaced on a condition. It is also off while [`rewrite_after`](Object::rewrite_after) is on.
    ///
    /// # Default
    ///
    /// - on in memory and for what [`open`](Object::open) found in a cloud
    /// - off for a driver that was given, of which nothing is known
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ByteStore;
    /// use larder_object::Object;
    /// use object_store::memory::InMemory;
    /// use std::sync::Arc;
    ///
    /// let store = Object::from_store(Arc::new(InMemory::new()));
    /// assert!(!store.capabilities().put_if);
    /// assert!(store.compare_and_set(true).capabilities().put_if);
    /// ```
    pub fn compare_and_set(mut self, can: bool) -> Self {
        self.conditional = can && !matches!(self.place, Place::Folder(_));
        self
    }

    /// Reads of an object at first `bytes` at most, and the rest only if it is alive and not too large.
    ///
    /// A smaller object costs one request as ever. A larger one costs two if it is wanted; if it has expired, or
    /// is larger than [`max_object_bytes`](Object::max_object_bytes), it costs one and no more than `bytes`. What
    /// has expired (stale windows included, by the store's [`clock`](Object::clock)) is then nothing. Less than 67
    /// counts as 67, which is what the judgement needs.
    ///
    /// # Default
    ///
    /// - off: one request for each object, and what has expired is read and left to the cache to judge
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ByteStore;
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Object::in_memory().head_first(64 << 10);
    /// store.put("pages:/", vec![7; 1 << 20].into(), None).await?;
    /// assert_eq!(store.get("pages:/").await?.unwrap().len(), 1 << 20);
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub fn head_first(mut self, bytes: u64) -> Self {
        self.head_first = Some(bytes);
        self
    }

    /// What a frame adds to each object.
    pub(crate) fn frame_bytes(&self) -> u64 {
        if self.frames() { FRAME_BYTES as u64 } else { 0 }
    }

    /// Whether records have tokens.
    pub(crate) fn has_tokens(&self) -> bool {
        self.conditional && self.kept.is_none()
    }

    /// Checks the size of what is to be stored or read, its frame included.
    pub(crate) fn check_size(&self, object: u64) -> Result<()> {
        let mut most = self.max_object_bytes;
        if let Some(disk) = &self.disk {
            most = most.min(disk.max_bytes());
        }
        if object <= most.saturating_add(self.frame_bytes()) {
            return Ok(());
        }
        let message = format!(
            "an object of {object} bytes, where {most} are allowed; `.max_object_bytes(n)` allows more"
        );
        Err(Error::new(ErrorKind::TooLarge, message))
    }
}
