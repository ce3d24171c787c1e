//! The header of an envelope: written, and read with trust in nothing.

use super::varint::{put_text, put_varint};
use super::{
    CHECKSUM, ENCRYPTED, EXPIRES, HAS_FORM, HAS_NOTES, HAS_POSITION, HAS_SCHEMA, HAS_WINDOW, IS_AHEAD,
    IS_KEPT, LOADED_AT, LONGEST_ECHO, MAGIC, METHOD, Moment, VERSION, corrupt, hash_of_key, millis,
    millis_since_1970, notes, wall_of,
};
use crate::entry::Lifetime;
use crate::holds::Stamp;
use crate::shared_log::Position;
use crate::{Result, Time};
use bytes::BufMut;
use std::time::{Duration, UNIX_EPOCH};

const NEWER: &str = "they were written by a newer release";

/// What an envelope says before the key.
pub(crate) struct Header {
    pub(crate) codec: u8,
    pub(crate) checksum: u64,
    /// Milliseconds since 1970.
    pub(crate) loaded_at: u64,
    /// The fresh life, if it ends.
    pub(crate) life: Option<Duration>,
    pub(crate) window: Duration,
    /// For how long after the window it is kept for failures.
    pub(crate) kept: Duration,
    /// How long before the end of its fresh life it is to be reloaded.
    pub(crate) ahead: Duration,
    pub(crate) has_notes: bool,
    /// The version of the value's schema.
    pub(crate) schema: u32,
    /// How the payload is compressed and encrypted.
    pub(crate) form: u8,
    /// Where the log of invalidations stood when the load began.
    pub(crate) position: Option<Position>,
}

impl Header {
    pub(crate) fn read(bytes: &[u8]) -> Result<(Header, Reader<'_>)> {
        let fixed = bytes.get(..LOADED_AT.end).ok_or_else(|| corrupt("they are too short"))?;
        if fixed[..2] != MAGIC {
            return Err(corrupt("they are not an envelope"));
        }
        let (version, flags) = (fixed[2], fixed[CHECKSUM.end]);
        if version != VERSION {
            return Err(corrupt(NEWER));
        }
        let mut reader = Reader { bytes, position: LOADED_AT.end };
        let life = if flags & EXPIRES == 0 { None } else { Some(Duration::from_millis(reader.varint()?)) };
        let window = if flags & HAS_WINDOW == 0 { 0 } else { reader.varint()? };
        let kept = if flags & IS_KEPT == 0 { 0 } else { reader.varint()? };
        let ahead = if flags & IS_AHEAD == 0 { 0 } else { reader.varint()? };
        let schema = if flags & HAS_SCHEMA == 0 { 0 } else { reader.varint()? };
        let form = if flags & HAS_FORM == 0 { 0 } else { reader.byte()? };
        if form & !(METHOD | ENCRYPTED) != 0 {
            return Err(corrupt(NEWER));
        }
        let position = if flags & HAS_POSITION == 0 {
            None
        } else {
            let era = u64_of(reader.raw(8, "they end within the era")?);
            Some(Position { era, number: reader.varint()? })
        };
        let header = Header {
            codec: fixed[CHECKSUM.end + 1],
            checksum: u64_of(&fixed[CHECKSUM]),
            loaded_at: u64_of(&fixed[LOADED_AT]),
            life,
            window: Duration::from_millis(window),
            kept: Duration::from_millis(kept),
            ahead: Duration::from_millis(ahead),
            has_notes: flags & HAS_NOTES != 0,
            schema: u32::try_from(schema).map_err(|_| corrupt("the version of the schema is too large"))?,
            form,
            position,
        };
        Ok((header, reader))
    }

    /// Brings the times onto the monotonic line.
    ///
    /// A value from the future was written by, or is read by, a clock that is wrong. It counts as old as it is
    /// ahead: so it lives at most twice its life, and none of it when the clocks are further apart than that.
    pub(crate) fn lifetime(&self, at: Moment) -> Lifetime {
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

/// Writes all that is in front of the payload, with nothing for a checksum.
pub(crate) fn write(
    codec: u8,
    schema: u32,
    form: u8,
    key: &str,
    stamp: &Stamp,
    at: Moment,
    out: &mut Vec<u8>,
) -> Result<()> {
    let life = stamp.life;
    let expires = life.fresh_until != Time::NEVER;
    let refresh_at = stamp.extra.as_ref().and_then(|extra| extra.refresh_at).unwrap_or(life.settled_until);
    let spans = [
        (EXPIRES, life.fresh_until.since(life.loaded_at), expires),
        (HAS_WINDOW, life.stale_until.since(life.fresh_until), false),
        (IS_KEPT, life.dead_at.since(life.stale_until), false),
        (IS_AHEAD, life.fresh_until.since(refresh_at), false),
    ];
    let is_written = |&(_, span, always): &(u8, Duration, bool)| expires && (always || !span.is_zero());
    let notes = stamp.extra.as_deref().filter(|extra| notes::has_any(extra));
    let flag = |is, flag| if is { flag } else { 0 };

    out.put_slice(&MAGIC);
    out.put_u8(VERSION);
    out.put_u64(0);
    let times = spans.iter().filter(|span| is_written(span)).fold(0, |flags, span| flags | span.0);
    let position = stamp.extra.as_ref().and_then(|extra| extra.watch.as_ref()?.position);
    let others = flag(notes.is_some(), HAS_NOTES) | flag(schema > 0, HAS_SCHEMA) | flag(form > 0, HAS_FORM);
    out.put_u8(times | others | flag(position.is_some(), HAS_POSITION));
    out.put_u8(codec);
    let loaded_at = at.wall.checked_sub(at.now.since(life.loaded_at)).unwrap_or(UNIX_EPOCH);
    out.put_slice(&millis_since_1970(loaded_at).to_le_bytes()[..6]);
    for (_, span, _) in spans.iter().filter(|span| is_written(span)) {
        put_varint(millis(*span), out);
    }
    if schema > 0 {
        put_varint(u64::from(schema), out);
    }
    if form > 0 {
        out.put_u8(form);
    }
    if let Some(Position { era, number }) = position {
        out.put_slice(&era.to_le_bytes());
        put_varint(number, out);
    }
    if (1..=LONGEST_ECHO).contains(&key.len()) {
        put_text(key, out);
    } else {
        out.put_u8(0);
        out.put_slice(&hash_of_key(key).to_le_bytes());
    }
    if let Some(extra) = notes {
        notes::write(extra, out)?;
    }
    Ok(())
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
pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..49).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(corrupt("a number in the header is too long"))
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.position).ok_or_else(|| corrupt("they end within the header"))?;
        self.position += 1;
        Ok(byte)
    }

    pub(crate) fn echo(&mut self) -> Result<Echo<'a>> {
        const CUT: &str = "they end within the key";
        match self.varint()? {
            0 => self.raw(16, CUT).map(|hash| Echo::Hash(u128_of(hash))),
            length if length > LONGEST_ECHO as u64 => Err(corrupt("the key is too long")),
            length => self.slice(length, CUT, "the key is not text").map(Echo::Text),
        }
    }

    pub(crate) fn text(&mut self, cut: &str, not_text: &str) -> Result<&'a str> {
        let length = self.varint()?;
        self.slice(length, cut, not_text)
    }

    pub(crate) fn slice(&mut self, length: u64, cut: &str, not_text: &str) -> Result<&'a str> {
        let text = self.raw(length, cut)?;
        std::str::from_utf8(text).map_err(|_| corrupt(not_text))
    }

    fn raw(&mut self, length: u64, cut: &str) -> Result<&'a [u8]> {
        let end = self.position.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        let raw = self.bytes.get(self.position..end).ok_or_else(|| corrupt(cut))?;
        self.position = end;
        Ok(raw)
    }
}

/// The key that an envelope says it is of.
#[derive(Debug, PartialEq)]
pub(crate) enum Echo<'a> {
    Text(&'a str),
    /// Of a key that is long, or empty.
    Hash(u128),
}

impl Echo<'_> {
    pub(crate) fn is_of(&self, key: &str) -> bool {
        match self {
            Echo::Text(text) => *text == key,
            Echo::Hash(hash) => *hash == hash_of_key(key),
        }
    }
}

/// Little-endian, of at most 8 bytes.
fn u64_of(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn u128_of(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte))
}
