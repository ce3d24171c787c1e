//! The store's contract, put together from the parts.

use crate::failure::failed;
use crate::frame::{self, Stored};
use crate::{Object, name};
use bytes::Bytes;
use larder_core::{
    ByteStore, Capabilities, Cleared, ErrorKind, Put, PutIf, Record, Result, SharedLog, Time, Token, Usage,
};
use object_store::path::Path;
use object_store::{Error as DriverError, ObjectStoreExt, PutPayload};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[deny(clippy::missing_trait_methods)]
impl ByteStore for Object {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let path = name::path(key);
        let Some(found) = self.in_time(self.read(&path)).await? else { return Ok(None) };
        self.note_read(&path, &found);
        Ok(found.stored.and_then(Stored::value))
    }

    /// Ignores `expires_at`: the bytes say it too, and [`purge_expired`](Object::purge_expired) reads it
    /// there.
    async fn put(&self, key: &str, bytes: Bytes, _expires_at: Option<SystemTime>) -> Result<()> {
        let path = name::path(key);
        self.refuse_if_too_large(&path, bytes.len()).await?;
        self.in_time(self.write(&path, bytes)).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.in_time(self.delete(&name::path(key))).await
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        self.read_many(keys).await
    }

    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        self.write_many(puts).await
    }

    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        self.delete_many(keys).await
    }

    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        if !self.has_tokens() {
            return self.get(key).await.map(Record::without_token);
        }
        self.in_time(self.read_with_token(&name::path(key), guard_for)).await
    }

    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        if !self.has_tokens() {
            return Ok(None);
        }
        self.in_time(self.plant(&name::path(key), guard_for)).await.map(Some)
    }

    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        _expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        if !self.has_tokens() {
            return Ok(PutIf::Unsupported);
        }
        let path = name::path(key);
        self.check_size(bytes.len() as u64 + self.frame_bytes())?;
        self.in_time(self.put_with(&path, token, bytes)).await
    }

    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        None
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        match prefix.strip_suffix(':') {
            Some(namespace) if !namespace.contains(':') => self.clear_namespace(namespace).await,
            // No namespace and its colon, so no folder of ours.
            _ => Ok(Cleared::Unsupported),
        }
    }

    /// Frees nothing: that needs waiting, see [`purge_expired`](Object::purge_expired).
    fn sweep(&self, _: Time) {}

    /// Returns the files of a folder whose size is [bounded](Object::max_bytes_on_disk), else nothing.
    fn usage(&self) -> Option<Usage> {
        self.disk.as_ref().map(|disk| disk.usage())
    }

    fn capabilities(&self) -> Capabilities {
        let can = Capabilities::NONE.clear();
        if self.has_tokens() { can.put_if() } else { can }
    }

    fn name(&self) -> &'static str {
        "Object"
    }
}

impl Object {
    /// Removes the older value where the new one cannot be written: it must not stay in its place.
    async fn refuse_if_too_large(&self, path: &Path, bytes: usize) -> Result<()> {
        let Err(too_large) = self.check_size(bytes as u64 + self.frame_bytes()) else { return Ok(()) };
        debug_assert_eq!(too_large.kind(), ErrorKind::TooLarge, "nothing else is checked");
        self.in_time(self.delete(path)).await?;
        Err(too_large)
    }

    async fn write(&self, path: &Path, bytes: Bytes) -> Result<()> {
        let known = self.kept.as_ref().and_then(|kept| kept.known(&bytes));
        if let (Some(kept), Some(known)) = (&self.kept, &known)
            && kept.is_there(&*self.driver, path, known, self.clock.wall()).await
        {
            return Ok(());
        }
        let object = if self.frames() || frame::looks_framed(&bytes) {
            frame::value(frame::fresh_id(), bytes)
        } else {
            PutPayload::from(bytes)
        };
        let length = object.content_length() as u64;
        if let Some(disk) = &self.disk {
            disk.make_room(&*self.driver, path, length).await;
        }
        let put = self.driver.put(path, object).await.map_err(failed)?;
        if let (Some(kept), Some(known)) = (&self.kept, known) {
            kept.note(path, known, put.e_tag);
        }
        if let Some(disk) = &self.disk {
            disk.wrote(path, length);
        }
        Ok(())
    }

    async fn delete(&self, path: &Path) -> Result<()> {
        self.forget(path);
        match self.driver.delete(path).await {
            Ok(()) | Err(DriverError::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Takes note that an object is gone.
    pub(crate) fn forget(&self, path: &Path) {
        if let Some(kept) = &self.kept {
            kept.forget(path);
        }
        if let Some(disk) = &self.disk {
            disk.removed(path);
        }
    }

    fn note_read(&self, path: &Path, found: &crate::read::Found) {
        if let Some(disk) = &self.disk {
            disk.used(path);
        }
        if let (Some(kept), Some(Stored::Value { bytes, .. })) = (&self.kept, &found.stored)
            && let Some(known) = kept.known(bytes)
        {
            kept.note(path, known, found.version.e_tag.clone());
        }
    }
}
