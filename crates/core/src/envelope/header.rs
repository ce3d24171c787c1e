//! The header of an envelope, read with trust in nothing.

use super::{
    CHECKSUM, EXPIRES, HAS_NOTES, HAS_WINDOW, IS_AHEAD, IS_KEPT, LOADED_AT, MAGIC, Moment, VERSION, corrupt,
    little_endian, wall_of,
};
use crate::entry::Lifetime;
use crate::{Result, Time};
use std::time::Duration;

/// What an envelope says before the key.
pub(super) struct Header {
    pub(super) codec: u8,
    pub(super) checksum: u64,
    /// Milliseconds since 1970.
    pub(super) loaded_at: u64,
    /// The fresh life, if it ends.
    pub(super) life: Option<Duration>,
    pub(super) window: Duration,
    /// For how long after the window it is kept for failures.
    pub(super) kept: Duration,
    /// How long before the end of its fresh life it is to be reloaded.
    pub(super) ahead: Duration,
    pub(super) has_notes: bool,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<(Header, Reader<'_>)> {
        let fixed = bytes.get(..LOADED_AT.end).ok_or_else(|| corrupt("they are too short"))?;
        if fixed[..2] != MAGIC {
            return Err(corrupt("they are not an envelope"));
        }
        let (version, flags) = (fixed[2], fixed[3]);
        if version != VERSION || flags & !(EXPIRES | HAS_WINDOW | IS_KEPT | IS_AHEAD | HAS_NOTES) != 0 {
            return Err(corrupt("they were written by a newer release"));
        }
        let mut reader = Reader { bytes, position: LOADED_AT.end };
        let life = if flags & EXPIRES == 0 { None } else { Some(Duration::from_millis(reader.varint()?)) };
        let window = if flags & HAS_WINDOW == 0 { 0 } else { reader.varint()? };
        let kept = if flags & IS_KEPT == 0 { 0 } else { reader.varint()? };
        let ahead = if flags & IS_AHEAD == 0 { 0 } else { reader.varint()? };
        let header = Header {
            codec: fixed[4],
            checksum: little_endian(&fixed[CHECKSUM]),
            loaded_at: little_endian(&fixed[LOADED_AT]),
            life,
            window: Duration::from_millis(window),
            kept: Duration::from_millis(kept),
            ahead: Duration::from_millis(ahead),
            has_notes: flags & HAS_NOTES != 0,
        };
        Ok((header, reader))
    }

    /// Brings the times onto the monotonic line.
    ///
    /// A value from the future was written by, or is read by, a clock that is wrong. It counts as old as it is
    /// ahead: so it lives at most twice its life, and none of it when the clocks are further apart than that.
    pub(super) fn lifetime(&self, at: Moment) -> Lifetime {
        let loaded_at = wall_of(self.loaded_at);
        let age = at.wall.duration_since(loaded_at).unwrap_or_else(|ahead| ahead.duration());
        let loaded_at = Time::from_nanos(
            at.now.as_nanos().saturating_sub(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)),
        );
        let Some(life) = self.life else {
            return Lifetime::endless(loaded_at);
        };
        // Not `loaded_at` + life: where the line begins after the load did, that would end too late.
        let fresh_until = ends(at.now, life, age);
        let stale_until = ends(at.now, life.saturating_add(self.window), age);
        let dead_at = ends(at.now, life.saturating_add(self.window).saturating_add(self.kept), age);
        Lifetime {
            loaded_at,
            settled_until: fresh_until.before(self.ahead),
            fresh_until,
            stale_until,
            dead_at,
        }
    }
}

/// The time at which a span ends that began `age` ago.
fn ends(now: Time, span: Duration, age: Duration) -> Time {
    match span.checked_sub(age) {
        Some(left) => now.after(left),
        None => {
            let over = u64::try_from((age - span).as_nanos()).unwrap_or(u64::MAX);
            Time::from_nanos(now.as_nanos().saturating_sub(over))
        }
    }
}

/// Reads the variable part of a header, never past its end.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..49).step_by(7) {
            let byte = *self.bytes.get(self.position).ok_or_else(|| corrupt("they end within the header"))?;
            self.position += 1;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(corrupt("a number in the header is too long"))
    }

    pub(super) fn key(&mut self) -> Result<&'a str> {
        self.text("they end within the key", "the key is not text")
    }

    pub(super) fn text(&mut self, cut: &str, not_text: &str) -> Result<&'a str> {
        let length = self.varint()?;
        self.slice(length, cut, not_text)
    }

    pub(super) fn slice(&mut self, length: u64, cut: &str, not_text: &str) -> Result<&'a str> {
        let end = self.position.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        let text = self.bytes.get(self.position..end).ok_or_else(|| corrupt(cut))?;
        self.position = end;
        std::str::from_utf8(text).map_err(|_| corrupt(not_text))
    }
}
