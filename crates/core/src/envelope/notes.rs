//! What goes with a value beside its times: the time its load took, its validator, its tags.
//!
//! | bytes | what |
//! |---|---|
//! | 1–7 | how long the load took, in microseconds and one more; 0 where it is not known |
//! | 1–7 | when the source last changed the value, in milliseconds since 1970 and one more; 0 where it is not known |
//! | 1– | length of the entity tag and one more, then the tag; 0 where there is none |
//! | 1–3 | number of tags, then each with its length before it |

use super::header::Reader;
use super::varint::{put_text, put_varint};
use super::{LONGEST_MS, corrupt, millis_since_1970, wall_of};
use crate::extra::Extra;
use crate::{Error, ErrorKind, Result};
use bytes::BufMut;
use std::sync::Arc;
use std::time::Duration;

/// More tags are neither written nor read: a byte of an envelope must not become many in memory.
const MOST_TAGS: u64 = 10_000;

/// Whether any of it is to be written.
pub(crate) fn has_any(extra: &Extra) -> bool {
    !extra.tags.is_empty() || extra.etag.is_some() || extra.last_modified.is_some() || extra.took.is_some()
}

pub(crate) fn write(extra: &Extra, out: &mut Vec<u8>) -> Result<()> {
    let tags = extra.tags.len() as u64;
    if tags > MOST_TAGS {
        return Err(Error::new(ErrorKind::TooLarge, format!("{tags} tags, where {MOST_TAGS} are allowed")));
    }
    let micros = |took: Duration| u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min(LONGEST_MS);
    put_varint(extra.took.map_or(0, |took| micros(took) + 1), out);
    put_varint(extra.last_modified.map_or(0, |time| millis_since_1970(time) + 1), out);
    match &extra.etag {
        Some(etag) => {
            put_varint(etag.len() as u64 + 1, out);
            out.put_slice(etag.as_bytes());
        }
        None => put_varint(0, out),
    }
    put_varint(tags, out);
    for tag in &extra.tags {
        put_text(tag, out);
    }
    Ok(())
}

pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Extra> {
    let took = reader.varint()?.checked_sub(1).map(Duration::from_micros);
    let last_modified = reader.varint()?.checked_sub(1).map(wall_of);
    let etag = match reader.varint()?.checked_sub(1) {
        Some(length) => {
            Some(reader.slice(length, "they end within the entity tag", "it is not text")?.into())
        }
        None => None,
    };
    let count = reader.varint()?;
    if count > MOST_TAGS {
        return Err(corrupt("they have too many tags"));
    }
    let tag = |_| reader.text("they end within a tag", "a tag is not text").map(Arc::from);
    let tags = (0..count).map(tag).collect::<Result<Vec<_>>>()?;
    Ok(Extra { tags, etag, last_modified, took, ..Extra::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn extra() -> Extra {
        Extra {
            tags: vec!["user:42".into(), "".into(), "équipe".into()],
            etag: Some("\"abc\"".into()),
            last_modified: Some(UNIX_EPOCH + Duration::from_secs(1_000)),
            took: Some(Duration::from_micros(1_234)),
            ..Extra::default()
        }
    }

    fn written(extra: &Extra) -> Vec<u8> {
        let mut out = Vec::new();
        write(extra, &mut out).unwrap();
        out
    }

    /// What a release has written, later ones read.
    #[test]
    fn the_bytes_of_notes_are_these() {
        let extra = Extra { tags: vec!["a".into(), "bc".into()], ..extra() };
        let golden = b"\xD3\x09\xC1\x84\x3D\x06\"abc\"\x02\x01a\x02bc";
        assert_eq!(written(&extra), golden[..]);
        assert_eq!(written(&Extra::default()), [0, 0, 0, 0][..]);
        let read = read(&mut Reader { bytes: golden, position: 0 }).unwrap();
        assert_eq!(format!("{read:?}"), format!("{extra:?}"));
    }

    #[test]
    fn the_longest_times_come_back_cut_and_those_before_1970_as_its_beginning() {
        let extreme = Extra {
            took: Some(Duration::MAX),
            last_modified: Some(UNIX_EPOCH - Duration::from_secs(1)),
            ..Extra::default()
        };
        let read = read(&mut Reader { bytes: &written(&extreme), position: 0 }).unwrap();
        assert_eq!(read.took, Some(Duration::from_micros(LONGEST_MS)));
        assert_eq!(read.last_modified, Some(UNIX_EPOCH));
    }

    #[test]
    fn more_tags_than_are_allowed_are_neither_written_nor_read() {
        let with = |tags: u64| Extra { tags: (0..tags).map(|_| "".into()).collect(), ..Extra::default() };
        let mut bytes = written(&with(MOST_TAGS));
        assert_eq!(read(&mut Reader { bytes: &bytes, position: 0 }).unwrap().tags.len(), 10_000);
        assert!(write(&with(MOST_TAGS + 1), &mut Vec::new()).is_err());
        bytes[3] += 1;
        bytes.put_u8(0);
        let error = read(&mut Reader { bytes: &bytes, position: 0 }).unwrap_err();
        assert!(error.to_string().contains("too many tags"), "{error}");
    }

    #[test]
    fn notes_that_are_no_text_are_refused() {
        for bytes in [&[0, 0, 2, 0xFF, 0][..], &[0, 0, 0, 1, 1, 0xFF]] {
            assert!(read(&mut Reader { bytes, position: 0 }).is_err());
        }
    }

    #[test]
    fn notes_come_back_as_they_were() {
        for extra in [extra(), Extra::default(), Extra { etag: Some("".into()), ..Extra::default() }] {
            let bytes = written(&extra);
            let mut reader = Reader { bytes: &bytes, position: 0 };
            assert_eq!(format!("{:?}", read(&mut reader).unwrap()), format!("{extra:?}"));
            assert_eq!(reader.position, bytes.len());
        }
    }

    #[test]
    fn notes_that_are_cut_or_claim_too_much_are_refused() {
        let bytes = written(&extra());
        for length in 0..bytes.len() {
            assert!(read(&mut Reader { bytes: &bytes[..length], position: 0 }).is_err(), "cut at {length}");
        }
        let many = [0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1, b'a'];
        assert!(read(&mut Reader { bytes: &many, position: 0 }).is_err());
    }
}
