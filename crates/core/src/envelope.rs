//! What byte stores hold: a short header, the key, and the encoded value.
//!
//! Version 1, numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | magic `FE 4C` (`FE` occurs in no UTF-8 text) |
//! | 1 | version, 1 |
//! | 8 | XXH3 checksum, with the version as its seed, of all that follows |
//! | 1 | flags: bit 0 it expires, bit 1 it has a stale window, bit 2 it is kept for failures, bit 3 it is reloaded ahead of its end, bit 4 it has notes, bit 5 its schema has a version, bit 6 its payload has a form, bit 7 it can be invalidated by names |
//! | 1 | the codec's [`Format::ID`](crate::Format::ID) |
//! | 6 | when the load began, in milliseconds since 1970 |
//! | 1–7 | fresh life in milliseconds, if it expires; LEB128, as all numbers that follow |
//! | 1–7 | stale window in milliseconds, if it has one |
//! | 1–7 | for how long after that it is kept for failures, in milliseconds, if it is |
//! | 1–7 | how long before the end of its fresh life it is to be reloaded, in milliseconds, if it is |
//! | 1–5 | version of the schema, if it has one; else that is 0 |
//! | 1 | form of the payload, if it has one: bits 0 to 3 the method of compression, or 0; bit 4 it is encrypted; the others are 0 |
//! | 9–15 | where the log of invalidations stood when the load began, if names can invalidate it: 8 bytes of its era, then its number |
//! | 1–2 | length of the key, then the key's text with its namespace; or 0, for an empty key and for one of more than 128 bytes, then 16 bytes, its XXH3-128 |
//! | 4– | notes, if it has any: see `notes` |
//! | rest | the payload: what the codec wrote; compressed, with its length before that as a number in front; encrypted |
//!
//! A reader takes nothing on trust: another magic, a newer version, unknown flags, a wrong checksum, another key
//! or another codec make the bytes unusable, which a cache treats as a miss. Lengths are checked against what
//! is there before anything is read.
//!
//! What encryption authenticates with the payload is the header without its checksum, and the key's text after it.
//! The methods of compression are 1 zstd, 2 lz4 (one block), 3 gzip; 4 to 7 are larder's, 8 to 15 free for others.

mod head;
mod header;
pub(crate) mod notes;
mod sameness;
mod varint;

pub use head::{HEAD_BYTES, Times, dead_at, times};
pub use sameness::fingerprint;

pub(crate) use header::{Header, Reader, write as write_header};
pub(crate) use varint::{put_text, put_varint};

use crate::{Clock, Error, ErrorKind, Time};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use twox_hash::{XxHash3_64, XxHash3_128};

const MAGIC: [u8; 2] = [0xFE, b'L'];
const VERSION: u8 = 1;
const EXPIRES: u8 = 1;
const HAS_WINDOW: u8 = 2;
const IS_KEPT: u8 = 4;
const IS_AHEAD: u8 = 8;
const HAS_NOTES: u8 = 16;
const HAS_SCHEMA: u8 = 32;
const HAS_FORM: u8 = 64;
const HAS_POSITION: u8 = 128;
pub(crate) const METHOD: u8 = 0x0F;
pub(crate) const ENCRYPTED: u8 = 0x10;
/// The place of the checksum; what is before it has one right value.
pub(crate) const CHECKSUM: std::ops::Range<usize> = 3..11;
const LOADED_AT: std::ops::Range<usize> = 13..19;
/// A longer key is not repeated in the envelope; its hash is.
const LONGEST_ECHO: usize = 128;
/// The longest life that is written, about 8,900 years; what exceeds it is cut to it.
const LONGEST_MS: u64 = (1 << 48) - 1;

/// The two clocks, read together: deadlines travel by the wall clock and are judged by the monotonic one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Time,
    pub(crate) wall: SystemTime,
}

impl Moment {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Moment { now: clock.now_exact(), wall: clock.wall() }
    }
}

pub(crate) fn corrupt(why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, why)
}

/// Of all that follows the checksum.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(u64::from(VERSION), &bytes[CHECKSUM.end..])
}

fn hash_of_key(key: &str) -> u128 {
    XxHash3_128::oneshot(key.as_bytes())
}

/// What encryption binds a payload to: the header as it stands in front of it, and the key.
pub(crate) fn context(header: &[u8], key: &str) -> Vec<u8> {
    [&header[..CHECKSUM.start], &header[CHECKSUM.end..], key.as_bytes()].concat()
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
    use crate::entry::Lifetime;
    use crate::extra::Extra;
    use crate::holds::Stamp;
    use crate::wire::Wire;
    use crate::{Codec, Entry, Format, Raw, Result};
    use bytes::Bytes;

    const KEY: &str = "users:ada";
    const VALUE: Bytes = Bytes::from_static(b"countess");

    fn moment(seconds: u64) -> Moment {
        let span = Duration::from_secs(seconds);
        Moment {
            now: Time::from_nanos(0).after(span),
            wall: UNIX_EPOCH + Duration::from_secs(1_000_000) + span,
        }
    }

    fn wire() -> Wire<Raw> {
        Wire::new(Raw)
    }

    fn stamp(ttl: u64, window: u64) -> Stamp {
        let entry = Entry::new((), moment(1_000).now)
            .fresh_for(Duration::from_secs(ttl))
            .stale_for(Duration::from_secs(window))
            .kept_for(Duration::from_secs(window / 2));
        Stamp { life: entry.life(), extra: None }
    }

    fn endless() -> Stamp {
        Stamp { life: Entry::new((), moment(1_000).now).life(), extra: None }
    }

    fn sealed(ttl: u64, window: u64) -> Bytes {
        wire().seal_at(KEY, &VALUE, &stamp(ttl, window), moment(1_000)).unwrap()
    }

    #[test]
    fn an_envelope_gives_back_the_value_and_its_times() {
        let bytes = sealed(60, 30);
        let entry = wire().open_at(KEY, &bytes, moment(1_010)).unwrap();

        assert_eq!(entry.value(), "countess");
        assert_eq!(entry.loaded_at(), moment(1_000).now);
        assert_eq!(entry.fresh_until(), moment(1_060).now);
        assert_eq!(entry.stale_until(), moment(1_090).now);
        assert_eq!(entry.dead_at(), moment(1_105).now);
        assert!(bytes.as_ptr_range().contains(&entry.value().as_ptr()), "the payload is a slice, no copy");
    }

    #[test]
    fn a_life_without_end_stays_without_end() {
        let bytes = wire().seal_at(KEY, &Bytes::new(), &endless(), moment(1_000)).unwrap();

        let entry = wire().open_at(KEY, &bytes, moment(9_000_000)).unwrap();
        assert_eq!((entry.fresh_until(), dead_at(&bytes).unwrap()), (Time::NEVER, None));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error() {
        let bytes = sealed(60, 30);
        for length in 0..bytes.len() {
            assert!(wire().open_at(KEY, &bytes.slice(..length), moment(1_000)).is_err(), "cut at {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(wire().open_at(KEY, &flipped.into(), moment(1_000)).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_value_of_another_key_is_refused_however_long_the_keys_are() {
        for length in [0, 1, 127, 128, 129, 1_000] {
            let (key, other) = ("k".repeat(length), "k".repeat(length) + "l");
            let bytes = wire().seal_at(&key, &VALUE, &endless(), moment(1_000)).unwrap();
            assert_eq!(wire().open_at(&key, &bytes, moment(1_000)).unwrap().value(), "countess");
            let error = wire().open_at(&other, &bytes, moment(1_000)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }

    /// The bytes with a checksum that is right, as somebody would make them who means harm.
    fn with_checksum(mut bytes: Vec<u8>) -> Bytes {
        let sum = checksum(&bytes);
        bytes[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        bytes.into()
    }

    #[track_caller]
    fn refused(bytes: Vec<u8>, why: &str) {
        let error = wire().open_at(KEY, &with_checksum(bytes), moment(1_000)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }

    #[test]
    fn what_a_newer_release_wrote_is_refused() {
        let change = |at: usize, byte: u8| {
            let mut bytes = sealed(60, 30).to_vec();
            bytes[at] = byte;
            bytes
        };
        refused(change(2, 2), "newer release");
        refused(change(2, 0), "newer release");
        let mut form = sealed(60, 30).to_vec();
        form[CHECKSUM.end] |= HAS_FORM;
        form.insert(form.len() - VALUE.len() - KEY.len() - 1, 0x20);
        refused(form, "newer release");
    }

    #[test]
    fn a_length_beyond_the_end_is_an_error_and_allocates_nothing() {
        let bytes = sealed(60, 30).to_vec();
        let length_at = bytes.len() - VALUE.len() - KEY.len() - 1;
        for (length, why) in
            [(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F][..], "too long"), (&[100], "end within the key")]
        {
            let mut bytes = bytes.clone();
            bytes.splice(length_at..=length_at, length.iter().copied());
            refused(bytes, why);
        }
    }

    #[test]
    fn a_value_from_the_future_counts_as_old_as_it_is_ahead() {
        let early = |seconds: u64| Moment { wall: moment(1_000 - seconds).wall, ..moment(1_000) };
        let opened = |seconds: u64| wire().open_at(KEY, &sealed(60, 0), early(seconds)).unwrap();
        assert_eq!(opened(20).fresh_until(), moment(1_040).now);
        assert_eq!(opened(500).freshness(moment(1_000).now), crate::Freshness::Dead);
    }

    #[test]
    fn the_head_tells_when_the_value_dies() {
        let bytes = sealed(60, 30);
        let head = &bytes[..HEAD_BYTES.min(bytes.len())];
        assert_eq!(dead_at(head).unwrap(), Some(moment(1_105).wall));
        let times = times(head).unwrap();
        assert_eq!(times.loaded_at, moment(1_000).wall);
        assert_eq!(times.settled_until, Some(moment(1_060).wall));
        assert_eq!(times.fresh_until, Some(moment(1_060).wall));
        assert_eq!((times.stale_until, times.dead_at), (Some(moment(1_090).wall), Some(moment(1_105).wall)));
    }

    #[test]
    fn the_head_tells_it_however_long_the_lives_are() {
        let (at, years) = (moment(1_000), Duration::from_secs(150 * 365 * 24 * 3600));
        let life = Entry::new((), at.now).fresh_for(years).stale_for(years).kept_for(Duration::MAX).life();
        let wire = wire().version(u32::MAX);
        for settled_until in [life.fresh_until, life.loaded_at] {
            let stamp = Stamp { life: Lifetime { settled_until, ..life }, extra: None };
            let bytes = wire.seal_at(KEY, &Bytes::from(vec![0; 100]), &stamp, at).unwrap();
            assert!(dead_at(&bytes[..HEAD_BYTES]).unwrap().is_some());
            assert!(wire.open_at(KEY, &bytes, at).unwrap().stale_until() > at.now.after(years));
        }
    }

    #[test]
    fn notes_travel_with_the_value() {
        let at = moment(1_000);
        let extra = Extra { tags: vec!["people".into()], etag: Some("v1".into()), ..Extra::default() };
        let stamp = Stamp { extra: extra.shared(), ..endless() };
        let bytes = wire().seal_at(KEY, &VALUE, &stamp, at).unwrap();
        let entry = wire().open_at(KEY, &bytes, at).unwrap();
        assert_eq!(
            (&entry.value()[..], &*entry.tags()[0], entry.etag()),
            (&b"countess"[..], "people", Some("v1"))
        );
    }

    /// A year fresh, two stale and one kept: the longest lives that anyone sets.
    #[test]
    fn the_header_takes_at_most_forty_bytes_beside_the_key() {
        let year = 365 * 24 * 3600;
        assert!(sealed(year, 2 * year).len() - KEY.len() - VALUE.len() <= 40);
        assert_eq!(sealed(60, 30).len() - KEY.len() - VALUE.len(), 28);
    }

    struct Eraser;

    impl Format for Eraser {
        const ID: u8 = 64;
    }

    impl Codec<Bytes> for Eraser {
        fn encode(&self, _: &Bytes, out: &mut Vec<u8>) -> Result<()> {
            out.clear();
            Ok(())
        }
        fn decode(&self, bytes: &Bytes) -> Result<Bytes> {
            Ok(bytes.clone())
        }
    }

    #[test]
    fn a_codec_that_removes_the_header_is_an_error() {
        let error = Wire::new(Eraser).seal_at(KEY, &VALUE, &endless(), moment(1_000)).unwrap_err();
        assert!(error.to_string().contains("removed what was"), "{error}");
    }
}
