//! What byte stores hold: a short header, the key, and the encoded value.
//!
//! Version 1, numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | magic `FE 4C` (`FE` occurs in no UTF-8 text) |
//! | 1 | version, 1 |
//! | 1 | flags: bit 0 it expires, bit 1 it has a stale window, bit 2 it is kept for failures, bit 3 it is reloaded ahead of its end, bit 4 it has notes; the others are 0 |
//! | 1 | the codec's [`Format::ID`](crate::Format::ID) |
//! | 8 | XXH3 checksum of all other bytes, the header's and the payload's |
//! | 6 | when the load began, in milliseconds since 1970 |
//! | 1–7 | fresh life in milliseconds, if it expires; LEB128, as all that follow |
//! | 1–7 | stale window in milliseconds, if it has one |
//! | 1–7 | for how long after that it is kept for failures, in milliseconds, if it is |
//! | 1–7 | how long before the end of its fresh life it is to be reloaded, in milliseconds, if it is |
//! | 1–3 | length of the key, then the key's text with its namespace |
//! | 4– | notes, if it has any: see `notes` |
//! | rest | the payload |
//!
//! A reader takes nothing on trust: another magic, a newer version, unknown flags, a wrong checksum, another key
//! or another codec make the bytes unusable, which a cache treats as a miss. Lengths are checked against what
//! is there before anything is read.

mod header;
mod notes;
mod sameness;

pub use sameness::{Times, fingerprint, times};

use crate::holds::Stamp;
use crate::{Codec, Entry, Error, ErrorKind, Result, Time};
use bytes::{BufMut, Bytes, BytesMut};
use header::{Header, Reader};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xxhash_rust::xxh3::Xxh3;

const MAGIC: [u8; 2] = [0xFE, b'L'];
const VERSION: u8 = 1;
const EXPIRES: u8 = 1;
const HAS_WINDOW: u8 = 2;
const IS_KEPT: u8 = 4;
const IS_AHEAD: u8 = 8;
const HAS_NOTES: u8 = 16;
const CHECKSUM: std::ops::Range<usize> = 5..13;
const LOADED_AT: std::ops::Range<usize> = 13..19;
/// The longest life that is written, about 8,900 years; what exceeds it is cut to it.
const LONGEST_MS: u64 = (1 << 48) - 1;

/// As many bytes from the front of an envelope as [`dead_at`] needs.
pub const HEAD_BYTES: usize = 47;

/// The two clocks, read together: deadlines travel by the wall clock and are judged by the monotonic one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Time,
    pub(crate) wall: SystemTime,
}

/// Returns when the value in an envelope dies: `None` when it never does.
///
/// Reads only the first [`HEAD_BYTES`], and so checks no checksum. For stores that do not expire by themselves.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] when the bytes do not begin like an envelope that this release can read.
///
/// # Examples
///
/// ```
/// assert!(larder_core::envelope::dead_at(b"something else").is_err());
/// ```
pub fn dead_at(head: &[u8]) -> Result<Option<SystemTime>> {
    let header = Header::read(head)?.0;
    Ok(header.life.map(|life| {
        let whole = life + header.window + header.kept;
        wall_of(header.loaded_at).checked_add(whole).unwrap_or_else(far)
    }))
}

/// Returns the key's text, with its namespace, that an envelope carries.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] when the bytes do not begin like an envelope, or end within the key.
pub fn key(bytes: &[u8]) -> Result<&str> {
    let (_, mut reader) = Header::read(bytes)?;
    reader.key()
}

/// Writes the envelope of `value`, once, into its final buffer.
pub(crate) fn seal<V, C: Codec<V>>(
    codec: &C,
    key: &str,
    value: &V,
    stamp: &Stamp,
    at: Moment,
) -> Result<Bytes> {
    let life = stamp.life;
    let expires = life.fresh_until != Time::NEVER;
    let window = life.stale_until.since(life.fresh_until);
    let kept = life.dead_at.since(life.stale_until);
    let has_window = expires && !window.is_zero();
    let is_kept = expires && !kept.is_zero();
    let refresh_at = stamp.extra.as_ref().and_then(|extra| extra.refresh_at).unwrap_or(life.settled_until);
    let is_ahead = expires && refresh_at < life.fresh_until;
    let notes = stamp.extra.as_deref().filter(|extra| notes::has_any(extra));

    let mut out = BytesMut::with_capacity(HEAD_BYTES + key.len() + 128);
    out.put_slice(&MAGIC);
    out.put_u8(VERSION);
    let flag = |is, flag| if is { flag } else { 0 };
    let times = flag(expires, EXPIRES) | flag(has_window, HAS_WINDOW) | flag(is_kept, IS_KEPT);
    out.put_u8(times | flag(is_ahead, IS_AHEAD) | flag(notes.is_some(), HAS_NOTES));
    out.put_u8(C::ID);
    out.put_u64(0);
    let loaded_at = at.wall.checked_sub(at.now.since(life.loaded_at)).unwrap_or(UNIX_EPOCH);
    out.put_slice(&millis_since_1970(loaded_at).to_le_bytes()[..6]);
    if expires {
        put_varint(millis(life.fresh_until.since(life.loaded_at)), &mut out);
    }
    if has_window {
        put_varint(millis(window), &mut out);
    }
    if is_kept {
        put_varint(millis(kept), &mut out);
    }
    if is_ahead {
        put_varint(millis(life.fresh_until.since(refresh_at)), &mut out);
    }
    put_text(key, &mut out);
    if let Some(extra) = notes {
        notes::write(extra, &mut out)?;
    }
    let header = out.len();
    codec.encode(value, &mut out)?;
    if out.len() < header {
        return Err(Error::new(ErrorKind::Codec, "the codec removed what was in the buffer before"));
    }

    let sum = checksum(&out);
    out[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
    Ok(out.freeze())
}

/// Reads the envelope of the value under `key`. The payload is a slice of `bytes`, not a copy.
pub(crate) fn open<V, C: Codec<V>>(codec: &C, key: &str, bytes: &Bytes, at: Moment) -> Result<Entry<V>> {
    let (header, mut reader) = Header::read(bytes)?;
    if header.checksum != checksum(bytes) {
        return Err(corrupt("the checksum does not match"));
    }
    if reader.key()? != key {
        return Err(corrupt("they belong to another key"));
    }
    if header.codec != C::ID {
        return Err(Error::new(
            ErrorKind::Codec,
            format!("the value was written with codec {}, this cache has codec {}", header.codec, C::ID),
        ));
    }
    let extra = if header.has_notes { notes::read(&mut reader)?.shared() } else { None };
    let value = codec.decode(&bytes.slice(reader.position..))?;
    Ok(Entry::with_life(value, header.lifetime(at), extra))
}

fn corrupt(why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, why)
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&bytes[..CHECKSUM.start]);
    hash.update(&bytes[CHECKSUM.end..]);
    hash.digest()
}

fn put_varint(mut value: u64, out: &mut BytesMut) {
    while value > 0x7F {
        out.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.put_u8(value.to_le_bytes()[0]);
}

fn put_text(text: &str, out: &mut BytesMut) {
    put_varint(text.len() as u64, out);
    out.put_slice(text.as_bytes());
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).min(LONGEST_MS)
}

fn millis_since_1970(wall: SystemTime) -> u64 {
    wall.duration_since(UNIX_EPOCH).map_or(0, millis)
}

fn wall_of(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or_else(far)
}

/// A time of day that this platform can surely represent and nothing lives to see.
fn far() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(200 * 365 * 24 * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Raw;
    use crate::entry::Lifetime;
    use crate::extra::Extra;

    const KEY: &str = "users:ada";

    fn moment(seconds: u64) -> Moment {
        let span = Duration::from_secs(seconds);
        Moment {
            now: Time::from_nanos(0).after(span),
            wall: UNIX_EPOCH + Duration::from_secs(1_000_000) + span,
        }
    }

    fn sealed(ttl: u64, window: u64) -> Bytes {
        let at = moment(1_000);
        let entry = Entry::new((), at.now)
            .fresh_for(Duration::from_secs(ttl))
            .stale_for(Duration::from_secs(window))
            .kept_for(Duration::from_secs(window / 2));
        let stamp = Stamp { life: entry.life(), extra: None };
        seal(&Raw, KEY, &Bytes::from_static(b"countess"), &stamp, at).unwrap()
    }

    #[test]
    fn an_envelope_gives_back_the_value_and_its_times() {
        let entry = open(&Raw, KEY, &sealed(60, 30), moment(1_010)).unwrap();

        assert_eq!(entry.value(), "countess");
        assert_eq!(entry.loaded_at(), moment(1_000).now);
        assert_eq!(entry.fresh_until(), moment(1_060).now);
        assert_eq!(entry.stale_until(), moment(1_090).now);
        assert_eq!(entry.dead_at(), moment(1_105).now);
    }

    #[test]
    fn a_life_without_end_stays_without_end() {
        let at = moment(1_000);
        let stamp = Stamp { life: Entry::new((), at.now).life(), extra: None };
        let bytes = seal(&Raw, KEY, &Bytes::new(), &stamp, at).unwrap();

        assert_eq!(open(&Raw, KEY, &bytes, moment(9_000_000)).unwrap().fresh_until(), Time::NEVER);
        assert_eq!(dead_at(&bytes).unwrap(), None);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error() {
        let bytes = sealed(60, 30);
        for length in 0..bytes.len() {
            assert!(open(&Raw, KEY, &bytes.slice(..length), moment(1_000)).is_err(), "cut at {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&Raw, KEY, &flipped.into(), moment(1_000)).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_value_of_another_key_is_refused() {
        let error = open(&Raw, "users:bob", &sealed(60, 0), moment(1_000)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn a_length_beyond_the_end_is_an_error_and_allocates_nothing() {
        let mut bytes = sealed(60, 30).to_vec();
        let length_at = bytes.len() - b"countess".len() - KEY.len() - 1;
        bytes.splice(length_at..=length_at, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]);
        assert!(key(&bytes).is_err());
    }

    #[test]
    fn a_value_from_the_future_counts_as_old_as_it_is_ahead() {
        let early = |seconds: u64| Moment { wall: moment(1_000 - seconds).wall, ..moment(1_000) };
        let opened = |seconds: u64| open(&Raw, KEY, &sealed(60, 0), early(seconds)).unwrap();
        assert_eq!(opened(20).fresh_until(), moment(1_040).now);
        assert_eq!(opened(500).freshness(moment(1_000).now), crate::Freshness::Dead);
    }

    #[test]
    fn the_head_tells_when_the_value_dies() {
        let bytes = sealed(60, 30);
        assert_eq!(dead_at(&bytes[..HEAD_BYTES.min(bytes.len())]).unwrap(), Some(moment(1_105).wall));
        assert_eq!(key(&bytes).unwrap(), KEY);
    }

    #[test]
    fn the_head_tells_it_however_long_the_lives_are() {
        let (at, years) = (moment(1_000), Duration::from_secs(150 * 365 * 24 * 3600));
        let life = Entry::new((), at.now).fresh_for(years).stale_for(years).kept_for(Duration::MAX).life();
        for settled_until in [life.fresh_until, life.loaded_at] {
            let stamp = Stamp { life: Lifetime { settled_until, ..life }, extra: None };
            let bytes = seal(&Raw, KEY, &Bytes::new(), &stamp, at).unwrap();
            assert!(dead_at(&bytes[..HEAD_BYTES]).unwrap().is_some());
            assert!(open(&Raw, KEY, &bytes, at).unwrap().stale_until() > at.now.after(years));
        }
    }

    #[test]
    fn notes_travel_with_the_value() {
        let at = moment(1_000);
        let extra = Extra { tags: vec!["people".into()], etag: Some("v1".into()), ..Extra::default() };
        let stamp = Stamp { life: Entry::new((), at.now).life(), extra: extra.shared() };
        let bytes = seal(&Raw, KEY, &Bytes::from_static(b"countess"), &stamp, at).unwrap();
        let entry = open(&Raw, KEY, &bytes, at).unwrap();
        assert_eq!(
            (&entry.value()[..], &*entry.tags()[0], entry.etag()),
            (&b"countess"[..], "people", Some("v1"))
        );
        assert_eq!((key(&bytes).unwrap(), dead_at(&bytes).unwrap()), (KEY, None));
    }

    /// A year fresh, two stale and one kept: the longest lives that anyone sets.
    #[test]
    fn the_header_takes_at_most_forty_bytes_beside_the_key() {
        let year = 365 * 24 * 3600;
        assert!(sealed(year, 2 * year).len() - KEY.len() - b"countess".len() <= 40);
        assert_eq!(sealed(60, 30).len() - KEY.len() - b"countess".len(), 28);
    }
}
