//! Reading an object, whole or its beginning first.
//!
//! ```text
//! plain                GET ─▶ size allowed? ─▶ content
//! head first of n      GET 0..n ─▶ all of it? ────────────────────▶ content
//!                                  no ─▶ size allowed? alive? ─▶ GET n.. of the same version ─▶ content
//!                                                      dead  ─▶ nothing
//! ```

use crate::Object;
use crate::failure::failed;
use crate::frame::{FRAME_BYTES, Stored};
use bytes::{Bytes, BytesMut};
use larder_core::{Result, envelope};
use object_store::path::Path;
use object_store::{
    Error as DriverError, GetOptions, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, UpdateVersion,
};

/// As much of an object as tells what it is and when it dies.
pub(crate) const HEAD_BYTES: u64 = (FRAME_BYTES + envelope::HEAD_BYTES) as u64;

/// An object that is there.
pub(crate) struct Found {
    /// `None` where it has expired and was not read.
    pub(crate) stored: Option<Stored>,
    /// What a put on a condition takes.
    pub(crate) version: UpdateVersion,
}

impl Object {
    /// Returns the object at `path`.
    pub(crate) async fn read(&self, path: &Path) -> Result<Option<Found>> {
        match self.head_first {
            None => self.read_whole(path).await,
            Some(bytes) => self.read_judged(path, bytes.max(HEAD_BYTES)).await,
        }
    }

    async fn read_whole(&self, path: &Path) -> Result<Option<Found>> {
        let found = match self.driver.get(path).await {
            Ok(found) => found,
            Err(DriverError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        self.check_size(found.meta.size)?;
        let version = version(&found.meta);
        let bytes = found.bytes().await.map_err(failed)?;
        Ok(Some(Found { stored: Some(Stored::read(bytes)), version }))
    }

    async fn read_judged(&self, path: &Path, first: u64) -> Result<Option<Found>> {
        let beginning = match self.range(path, 0..first, None).await {
            Ok(found) => found,
            Err(DriverError::NotFound { .. }) => return Ok(None),
            // No range of an empty object can be read.
            Err(DriverError::Generic { .. }) => return self.read_whole(path).await,
            Err(error) => return Err(failed(error)),
        };
        let (meta, version) = (beginning.meta.clone(), version(&beginning.meta));
        self.check_size(meta.size)?;
        let head = beginning.bytes().await.map_err(failed)?;
        if head.len() as u64 >= meta.size {
            return Ok(Some(Found { stored: Some(Stored::read(head)), version }));
        }
        if self.is_dead(&head) {
            return Ok(Some(Found { stored: None, version }));
        }
        match self.rest(path, &meta, head).await? {
            Some(bytes) => Ok(Some(Found { stored: Some(Stored::read(bytes)), version })),
            // Written anew between the two reads.
            None => self.read_whole(path).await,
        }
    }

    /// Returns the object that begins with `head`, if it is still the one of which that was read.
    async fn rest(&self, path: &Path, meta: &ObjectMeta, head: Bytes) -> Result<Option<Bytes>> {
        let read = self.range(path, head.len() as u64..meta.size, meta.e_tag.clone()).await;
        let rest = match read {
            Ok(rest) => rest,
            Err(DriverError::Precondition { .. } | DriverError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        // A server that ignores the condition says by its answer which object it read.
        let is_same = |one: &ObjectMeta, other: &ObjectMeta| {
            one.e_tag.is_some() && one.e_tag == other.e_tag && one.size == other.size
        };
        if !is_same(meta, &rest.meta) {
            return Ok(None);
        }
        let rest = rest.bytes().await.map_err(failed)?;
        let mut whole = BytesMut::with_capacity(head.len() + rest.len());
        whole.extend_from_slice(&head);
        whole.extend_from_slice(&rest);
        Ok((whole.len() as u64 == meta.size).then(|| whole.freeze()))
    }

    async fn range(
        &self,
        path: &Path,
        range: std::ops::Range<u64>,
        if_match: Option<String>,
    ) -> object_store::Result<GetResult> {
        let options = GetOptions { range: Some(range.into()), if_match, ..GetOptions::default() };
        self.driver.get_opts(path, options).await
    }

    /// Whether an object, of which this is the beginning, is a value that has expired.
    fn is_dead(&self, head: &Bytes) -> bool {
        let Stored::Value { bytes, .. } = Stored::read(head.clone()) else { return false };
        matches!(envelope::dead_at(&bytes), Ok(Some(dead_at)) if dead_at <= self.clock.wall())
    }
}

pub(crate) fn version(meta: &ObjectMeta) -> UpdateVersion {
    UpdateVersion { e_tag: meta.e_tag.clone(), version: meta.version.clone() }
}
