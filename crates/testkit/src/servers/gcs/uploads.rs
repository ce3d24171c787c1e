//! Uploads in several parts.

use super::buckets::{Bucket, Object, Refusal, e_tag};
use super::conditions::Expected;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Each part but the last has as much.
const LEAST: usize = 5 << 20;
const NO_SUCH_UPLOAD: Refusal = (StatusCode::NOT_FOUND, "NoSuchUpload");
const INVALID_PART: Refusal = (StatusCode::BAD_REQUEST, "InvalidPart");
const TOO_SMALL: Refusal = (StatusCode::BAD_REQUEST, "EntityTooSmall");

/// An upload that has begun and has not ended.
#[derive(Debug)]
pub(super) struct Upload {
    key: String,
    attributes: HeaderMap,
    parts: BTreeMap<u32, Bytes>,
}

impl Bucket {
    pub(super) fn begin_upload(&mut self, id: &str, key: &str, attributes: HeaderMap) {
        let upload = Upload { key: key.to_owned(), attributes, parts: BTreeMap::new() };
        self.uploads.insert(id.to_owned(), upload);
    }

    /// Keeps a part, in place of one of the same number, and returns its `ETag`.
    pub(super) fn put_part(
        &mut self,
        id: &str,
        key: &str,
        number: u32,
        content: Bytes,
    ) -> Result<String, Refusal> {
        let upload = self.uploads.get_mut(id).filter(|upload| upload.key == key).ok_or(NO_SUCH_UPLOAD)?;
        let tag = e_tag(&content);
        upload.parts.insert(number, content);
        Ok(tag)
    }

    /// Makes an object of the named parts, and forgets the upload.
    pub(super) fn complete_upload(
        &mut self,
        id: &str,
        key: &str,
        expected: &Expected,
        generation: u64,
        parts: &[(u32, String)],
    ) -> Result<&Object, Refusal> {
        let upload = self.uploads.get(id).filter(|upload| upload.key == key).ok_or(NO_SUCH_UPLOAD)?;
        let content = upload.joined(parts)?;
        expected.check(self.objects.get(key))?;
        let attributes = upload.attributes.clone();
        self.uploads.remove(id);
        self.put(key, &Expected::Anything, generation, content, attributes)
    }

    pub(super) fn abort_upload(&mut self, id: &str, key: &str) -> Result<(), Refusal> {
        self.uploads.get(id).filter(|upload| upload.key == key).ok_or(NO_SUCH_UPLOAD)?;
        self.uploads.remove(id);
        Ok(())
    }
}

impl Upload {
    fn joined(&self, parts: &[(u32, String)]) -> Result<Bytes, Refusal> {
        if parts.is_empty() || !parts.is_sorted_by(|one, next| one.0 < next.0) {
            return Err(INVALID_PART);
        }
        let mut joined = Vec::new();
        for (index, (number, tag)) in parts.iter().enumerate() {
            let part = self.parts.get(number).filter(|part| e_tag(part) == *tag).ok_or(INVALID_PART)?;
            if part.len() < LEAST && index + 1 < parts.len() {
                return Err(TOO_SMALL);
            }
            joined.extend_from_slice(part);
        }
        Ok(joined.into())
    }
}
