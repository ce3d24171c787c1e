//! Whether a place can be used: `check`.
//!
//! ```text
//! create an object ─▶ create it again: refused? ─▶ replace it on a stale version: refused? ─▶ read ─▶ remove
//!                     \_________________ only with compare_and_set _________________/
//! ```
//!
//! The object is a guard that nobody reads and that a purge would remove, had the check been cut off.

use crate::frame::{self, fresh_id};
use crate::object::Place;
use crate::{Object, name};
use bytes::Bytes;
use larder_core::{Error, ErrorKind, Result};
use object_store::path::Path;
use object_store::{
    Error as DriverError, ObjectStore, ObjectStoreExt, PutMode, PutPayload, PutResult, UpdateVersion,
};
use std::future::Future;
use std::time::Duration;

const PROBE_LASTS: Duration = Duration::from_secs(60);

impl Object {
    /// Writes, reads and removes a small object, and so finds what is wrong before a cache depends on it.
    ///
    /// Also finds out whether the storage honours the conditions that [`compare_and_set`](Object::compare_and_set)
    /// needs. Costs six small requests, three without them. [`open`](Object::open) does it by itself.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`] with the cure: no such bucket, credentials that are not accepted or that may not read,
    ///   write and remove, another region, a server that ignores conditions
    /// - [`ErrorKind::Store`] and [`ErrorKind::Timeout`]: the storage cannot be reached, or failed
    ///
    /// # Cancel safety
    ///
    /// An object of 28 bytes may stay, which [`purge_expired`](Object::purge_expired) removes.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// Object::in_memory().check().await?;
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn check(&self) -> Result<()> {
        let path = name::nobodys(u128::from_le_bytes(fresh_id()));
        let probe = || frame::guard(fresh_id(), self.clock.wall() + PROBE_LASTS);
        let last = probe();
        if self.has_tokens() {
            self.check_conditions(&path, probe, last.clone()).await?;
        } else {
            self.step("write", self.driver.put(&path, last.clone())).await?;
        }
        let read = self.step("read", async { self.driver.get(&path).await?.bytes().await }).await?;
        if read != Bytes::from(last) {
            return Err(Error::new(ErrorKind::Config, self.say("it returned other bytes than were written")));
        }
        self.step("remove", self.driver.delete(&path)).await
    }

    async fn check_conditions(
        &self,
        path: &Path,
        probe: impl Fn() -> PutPayload,
        last: PutPayload,
    ) -> Result<()> {
        let put = |object, mode: PutMode| self.driver.put_opts(path, object, mode.into());
        let version = |put: PutResult| UpdateVersion { e_tag: put.e_tag, version: put.version };

        let first = version(self.step("write", put(probe(), PutMode::Create)).await?);
        if !self.is_refused(put(probe(), PutMode::Create)).await? {
            return Err(self.blind());
        }
        self.step("write", put(last.clone(), PutMode::Update(first.clone()))).await?;
        if !self.is_refused(put(probe(), PutMode::Update(first))).await? {
            return Err(self.blind());
        }
        Ok(())
    }

    async fn is_refused<T>(&self, put: impl Future<Output = object_store::Result<T>> + Send) -> Result<bool> {
        let refused = async {
            match put.await {
                Ok(_) => Ok(false),
                Err(DriverError::AlreadyExists { .. } | DriverError::Precondition { .. }) => Ok(true),
                Err(error) => Err(error),
            }
        };
        self.step("write", refused).await
    }

    fn blind(&self) -> Error {
        let why = "it replaces objects blindly, whatever the condition; say `.compare_and_set(false)`, or use a \
                   server that honours `If-Match` (S3, Azure) or `x-goog-if-generation-match` (GCS)";
        Error::new(ErrorKind::Config, self.say(why))
    }

    async fn step<T>(
        &self,
        verb: &str,
        work: impl Future<Output = object_store::Result<T>> + Send,
    ) -> Result<T> {
        self.in_time(async { work.await.map_err(|error| self.explain(verb, error)) }).await
    }

    fn explain(&self, verb: &str, error: DriverError) -> Error {
        let text = error.to_string();
        let any = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
        let (kind, why) = match &error {
            DriverError::NotFound { .. } => (
                ErrorKind::Config,
                "there is no such bucket or container; create it, or correct the address".into(),
            ),
            DriverError::PermissionDenied { .. } | DriverError::Unauthenticated { .. }
                if any(&[
                    "InvalidAccessKeyId",
                    "SignatureDoesNotMatch",
                    "AuthenticationFailed",
                    "AuthorizationFailure",
                ]) || matches!(error, DriverError::Unauthenticated { .. }) =>
            {
                (
                    ErrorKind::Config,
                    "the credentials are not accepted; correct the key, or its account".into(),
                )
            }
            DriverError::PermissionDenied { .. } => {
                let cure =
                    "these credentials may not do it; grant them to read, write, list and remove objects";
                (ErrorKind::Config, format!("cannot {verb}: {cure}"))
            }
            DriverError::NotImplemented { .. } | DriverError::NotSupported { .. } => (
                ErrorKind::Config,
                "the driver cannot put on a condition; say `.compare_and_set(false)`".into(),
            ),
            _ if any(&[
                "incorrectly configured region",
                "PermanentRedirect",
                "AuthorizationHeaderMalformed",
            ]) =>
            {
                (ErrorKind::Config, "it is in another region; say which with `region`".into())
            }
            _ => (ErrorKind::Store, format!("cannot {verb}")),
        };
        Error::new(kind, self.say(&why)).caused_by(error)
    }

    /// Says it of this place.
    fn say(&self, what: &str) -> String {
        match &self.place {
            Place::Folder(root) => format!("the folder `{}`: {what}", root.display()),
            Place::Memory => format!("memory: {what}"),
            Place::Bucket(address) => format!("{address}: {what}"),
            Place::Given => format!("the given driver: {what}"),
        }
    }
}
