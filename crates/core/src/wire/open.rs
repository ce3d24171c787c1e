//! Reading an envelope, with trust in nothing.

use super::Wire;
use crate::codec::Codec;
use crate::coherence::Watch;
use crate::envelope::{ENCRYPTED, Header, METHOD, Moment, Reader, checksum, context, corrupt, notes};
use crate::extra::Extra;
use crate::{Entry, Error, ErrorKind, Result};
use bytes::Bytes;
use std::cmp::Ordering;

impl<C> Wire<C> {
    /// Returns the entry under `key` that an envelope holds. The codec is given a slice of `bytes`, unless they are
    /// compressed or encrypted.
    pub(super) fn read<V>(&self, key: &str, bytes: &Bytes, at: Moment) -> Result<Entry<V>>
    where
        C: Codec<V>,
    {
        let (header, mut reader) = Header::read(bytes)?;
        if header.checksum != checksum(bytes) {
            return Err(corrupt("the checksum does not match"));
        }
        if !reader.echo()?.is_of(key) {
            return Err(corrupt("they belong to another key"));
        }
        let mut extra = if header.has_notes { notes::read(&mut reader)? } else { Extra::default() };
        extra.watch = header.position.map(Watch::unread);
        let start = reader.position;
        let text = match (&self.encryption, header.form & ENCRYPTED != 0) {
            (None, false) => bytes.slice(start..),
            (Some(encryption), true) => {
                encryption.decrypt(&context(&bytes[..start], key), &bytes[start..])?
            }
            (Some(_), false) => {
                return Err(corrupt("they are not encrypted, as all that this cache reads must be"));
            }
            (None, true) => return Err(corrupt("they are encrypted; `.encrypted(keys)` reads such values")),
        };
        let payload = match header.form & METHOD {
            0 => text,
            method => self.decompress(method, &text)?,
        };
        let value = match header.schema.cmp(&self.version) {
            Ordering::Equal => self.codec.decode_format(header.codec, &payload)?,
            Ordering::Less => self.codec.decode_older(header.schema, header.codec, &payload)?,
            Ordering::Greater => {
                let (newer, own) = (header.schema, self.version);
                let message =
                    format!("the value has version {newer} of its schema, this cache has version {own}");
                return Err(Error::new(ErrorKind::Codec, message));
            }
        };
        Ok(Entry::with_life(value, header.lifetime(at), extra.shared()))
    }

    fn decompress(&self, method: u8, text: &[u8]) -> Result<Bytes> {
        let Some(compression) = &self.compression else {
            let message =
                format!("the value is compressed with method {method}; `.compressed(..)` reads such values");
            return Err(Error::new(ErrorKind::Codec, message));
        };
        let mut reader = Reader { bytes: text, position: 0 };
        let raw_bytes = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        self.check_size(raw_bytes)?;
        let raw = compression.decompress(method, &text[reader.position..], raw_bytes)?;
        if raw.len() != raw_bytes {
            return Err(corrupt("what was compressed is not as long as they say"));
        }
        Ok(raw)
    }
}
