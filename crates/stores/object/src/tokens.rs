//! Compare-and-set: tokens, guards, and puts on a condition.
//!
//! ```text
//! get_with_token   value ──▶ its version is the token
//!                  nothing ─▶ create a guard (whoever is first), its version is the token
//!                  guard ──▶ its version; written anew with the same number if its time is short
//! put_if           put if the version is still there
//!                  refused ─▶ read: the same guard with a new deadline? once more with its version
//!                                   what we just wrote? the answer was lost: done
//! ```
//!
//! A guard lasts twice as long as it was asked for. So those who come soon after another share it as it is, and it
//! is written anew at most once in that time, however many come.

use crate::Object;
use crate::failure::failed;
use crate::frame::{self, Id, Stored};
use crate::read::version;
use bytes::{BufMut, Bytes, BytesMut};
use larder_core::{Error, ErrorKind, PutIf, Record, Result, Token};
use object_store::path::Path;
use object_store::{
    Error as DriverError, ObjectStore, ObjectStoreExt, PutMode, PutPayload, PutResult, UpdateVersion,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// So often a call begins anew when others change the object under its hands. Each time one of them has succeeded.
const ATTEMPTS: usize = 16;

impl Object {
    pub(crate) async fn read_with_token(&self, path: &Path, guard_for: Duration) -> Result<Record> {
        for _ in 0..ATTEMPTS {
            let Some(found) = self.read(path).await? else {
                match self.write_guard(path, frame::fresh_id(), guard_for, PutMode::Create).await? {
                    Some(token) => return Ok(Record::new(None, token)),
                    // Another was faster: it is there to be read.
                    None => continue,
                }
            };
            let Some(Stored::Guard { id, until }) = found.stored else {
                let id = found.stored.as_ref().and_then(Stored::id);
                let token = token(id, &found.version)?;
                return Ok(Record::new(found.stored.and_then(Stored::value), token));
            };
            if until >= self.after(guard_for) {
                return Ok(Record::new(None, token(Some(id), &found.version)?));
            }
            let unchanged = PutMode::Update(found.version);
            if let Some(token) = self.write_guard(path, id, guard_for, unchanged).await? {
                return Ok(Record::new(None, token));
            }
        }
        Err(restless())
    }

    pub(crate) async fn plant(&self, path: &Path, guard_for: Duration) -> Result<Token> {
        let token = self.write_guard(path, frame::fresh_id(), guard_for, PutMode::Overwrite).await?;
        token.ok_or_else(restless)
    }

    pub(crate) async fn put_with(&self, path: &Path, token: &Token, bytes: Bytes) -> Result<PutIf> {
        let Some((seen, mut version)) = parse(token) else { return Ok(PutIf::Refused) };
        let own = frame::fresh_id();
        let object = frame::value(own, bytes);
        for _ in 0..ATTEMPTS {
            if self.put_in_mode(path, object.clone(), PutMode::Update(version)).await?.is_some() {
                return Ok(PutIf::Done);
            }
            match self.peek(path).await? {
                Some((stored, _)) if stored.id() == Some(own) => return Ok(PutIf::Done),
                Some((Stored::Guard { id, .. }, now)) if Some(id) == seen => version = now,
                _ => return Ok(PutIf::Refused),
            }
        }
        Err(restless())
    }

    /// Returns the guard's token, or nothing if the condition did not hold.
    async fn write_guard(
        &self,
        path: &Path,
        id: Id,
        guard_for: Duration,
        mode: PutMode,
    ) -> Result<Option<Token>> {
        let object = frame::guard(id, self.after(guard_for.saturating_mul(2)));
        let Some(put) = self.put_in_mode(path, object, mode).await? else { return Ok(None) };
        token(Some(id), &UpdateVersion { e_tag: put.e_tag, version: put.version }).map(Some)
    }

    async fn put_in_mode(&self, path: &Path, object: PutPayload, mode: PutMode) -> Result<Option<PutResult>> {
        match self.driver.put_opts(path, object, mode.into()).await {
            Ok(put) => Ok(Some(put)),
            Err(
                DriverError::Precondition { .. }
                | DriverError::AlreadyExists { .. }
                // Of an object that is not there, some say.
                | DriverError::NotFound { .. },
            ) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Returns what is there, however large, by its first bytes.
    async fn peek(&self, path: &Path) -> Result<Option<(Stored, UpdateVersion)>> {
        let meta = match self.driver.head(path).await {
            Ok(meta) => meta,
            Err(DriverError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let end = meta.size.min(crate::read::HEAD_BYTES);
        if end == 0 {
            return Ok(None);
        }
        // Not of the version that the head was of, perhaps; then the next put is refused, and this is asked again.
        match self.driver.get_range(path, 0..end).await {
            Ok(head) => Ok(Some((Stored::read(head), version(&meta)))),
            Err(DriverError::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn after(&self, span: Duration) -> SystemTime {
        // Whoever guards for longer than a hundred years does it for ever.
        let far = UNIX_EPOCH + Duration::from_secs(200 * 365 * 24 * 3600);
        self.clock.wall().checked_add(span).map_or(far, |end| end.min(far))
    }
}

fn restless() -> Error {
    let message = format!("the object was changed by others {ATTEMPTS} times during one call");
    Error::new(ErrorKind::Store, message)
}

/// Makes a token: the number of the write, and by what the driver knows the version.
fn token(id: Option<Id>, version: &UpdateVersion) -> Result<Token> {
    if version.e_tag.is_none() && version.version.is_none() {
        let message = "the driver gives objects no version; say `.compare_and_set(false)`";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let mut token = BytesMut::new();
    put_part(&mut token, id.as_ref().map(Id::as_slice));
    put_part(&mut token, version.e_tag.as_deref().map(str::as_bytes));
    put_part(&mut token, version.version.as_deref().map(str::as_bytes));
    Ok(Token::new(token.freeze()))
}

fn put_part(token: &mut BytesMut, part: Option<&[u8]>) {
    token.put_u32(part.map_or(0, |part| u32::try_from(part.len() + 1).unwrap_or(u32::MAX)));
    token.put_slice(part.unwrap_or_default());
}

/// Reads a token, unless it is another store's.
fn parse(token: &Token) -> Option<(Option<Id>, UpdateVersion)> {
    let mut rest = token.as_bytes();
    let mut part = || {
        let (length, behind) = rest.split_first_chunk()?;
        let Some(length) = u32::from_be_bytes(*length).checked_sub(1) else {
            rest = behind;
            return Some(None);
        };
        let (part, behind) = behind.split_at_checked(usize::try_from(length).ok()?)?;
        rest = behind;
        Some(Some(part.to_vec()))
    };
    let (id, e_tag, version) = (part()?, part()?, part()?);
    let id = id.map(Id::try_from).transpose().ok()?;
    let text = |part: Option<Vec<u8>>| part.map(String::from_utf8).transpose().ok();
    let version = UpdateVersion { e_tag: text(e_tag)?, version: text(version)? };
    let has_any = version.e_tag.is_some() || version.version.is_some();
    (rest.is_empty() && has_any).then_some((id, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_all_that_it_was_made_of() {
        for (e_tag, generation) in [(Some("\"1\""), Some("7")), (Some(""), None), (None, Some("8"))] {
            for id in [None, Some([9; 16])] {
                let version =
                    UpdateVersion { e_tag: e_tag.map(Into::into), version: generation.map(Into::into) };
                let (read_id, read) = parse(&token(id, &version).unwrap()).unwrap();
                assert_eq!(
                    (read_id, read.e_tag.as_deref(), read.version.as_deref()),
                    (id, e_tag, generation)
                );
            }
        }
    }

    #[test]
    fn what_is_no_token_of_ours_is_none() {
        let version = UpdateVersion { e_tag: Some("\"1\"".into()), version: None };
        let whole = token(Some([9; 16]), &version).unwrap();
        for length in 0..whole.as_bytes().len() {
            assert!(parse(&Token::new(whole.as_bytes()[..length].to_vec())).is_none(), "{length}");
        }
        for foreign in
            [&b"any"[..], &[0xFF; 40], &[0; 12], &[0; 13], &[0, 0, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert!(parse(&Token::new(foreign.to_vec())).is_none(), "{foreign:?}");
        }
    }

    #[test]
    fn a_driver_without_versions_is_told_of() {
        let none = UpdateVersion { e_tag: None, version: None };
        assert_eq!(token(None, &none).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
