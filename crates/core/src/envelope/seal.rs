//! Writing an envelope: once, into its final buffer.

use super::{
    CHECKSUM, ENCRYPTED, EXPIRES, HAS_FORM, HAS_NOTES, HAS_SCHEMA, HAS_WINDOW, IS_AHEAD, IS_KEPT,
    LONGEST_ECHO, MAGIC, Moment, VERSION, checksum, context, hash_of_key, millis, millis_since_1970, notes,
};
use crate::codec::Codec;
use crate::holds::Stamp;
use crate::wire::Wire;
use crate::{Error, ErrorKind, Result, Time};
use bytes::{BufMut, Bytes};
use std::time::{Duration, UNIX_EPOCH};

/// Returns the envelope of `value` under `key`.
pub(crate) fn seal<V, C: Codec<V>>(
    wire: &Wire<C>,
    key: &str,
    value: &V,
    stamp: &Stamp,
    at: Moment,
) -> Result<Bytes> {
    let front = wire.encryption.as_ref().map_or(0, |encryption| encryption.front_bytes());
    let (mut out, start) = match &wire.compression {
        None => {
            let mut out = wire.room.buffer();
            let start = header::<V, C>(wire, key, stamp, at, 0, &mut out)?;
            out.put_bytes(0, front);
            encode(wire, value, &mut out)?;
            (out, start)
        }
        Some(compression) => {
            let mut raw = wire.room.buffer();
            encode(wire, value, &mut raw)?;
            // A reader makes no more of it than that.
            wire.check_size(raw.len())?;
            let (mut out, mut start) = (Vec::new(), 0);
            let is_worth_it = raw.len() >= compression.min_bytes() && {
                start = header::<V, C>(wire, key, stamp, at, compression.method(), &mut out)?;
                out.put_bytes(0, front);
                let before = out.len();
                put_varint(raw.len() as u64, &mut out);
                compression.compress(&raw, &mut out)?;
                check_kept(&out, before)?;
                out.len() - before < raw.len()
            };
            if !is_worth_it {
                out.clear();
                start = header::<V, C>(wire, key, stamp, at, 0, &mut out)?;
                out.put_bytes(0, front);
                out.put_slice(&raw);
            }
            wire.room.learn(raw.len());
            (out, start)
        }
    };
    if let Some(encryption) = &wire.encryption {
        let context = context(&out[..start], key);
        encryption.encrypt(&context, &mut out, start)?;
        check_kept(&out, start + front)?;
    }
    let sum = checksum(&out);
    out[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
    if wire.compression.is_none() {
        wire.room.learn(out.len());
    }
    if out.capacity() / 2 > out.len() {
        // Who keeps it, keeps all of it.
        out.shrink_to_fit();
    }
    Ok(out.into())
}

fn encode<V, C: Codec<V>>(wire: &Wire<C>, value: &V, out: &mut Vec<u8>) -> Result<()> {
    let before = out.len();
    wire.codec.encode(value, out)?;
    check_kept(out, before)
}

fn check_kept(out: &[u8], before: usize) -> Result<()> {
    if out.len() < before {
        return Err(Error::new(ErrorKind::Codec, "the codec removed what was in the buffer before"));
    }
    Ok(())
}

/// Writes all that is in front of the payload, with nothing for a checksum, and returns where it ends.
fn header<V, C: Codec<V>>(
    wire: &Wire<C>,
    key: &str,
    stamp: &Stamp,
    at: Moment,
    method: u8,
    out: &mut Vec<u8>,
) -> Result<usize> {
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
    let form = method | if wire.encryption.is_some() { ENCRYPTED } else { 0 };
    let flag = |is, flag| if is { flag } else { 0 };

    out.put_slice(&MAGIC);
    out.put_u8(VERSION);
    out.put_u64(0);
    let times = spans.iter().filter(|span| is_written(span)).fold(0, |flags, span| flags | span.0);
    let others =
        flag(notes.is_some(), HAS_NOTES) | flag(wire.version > 0, HAS_SCHEMA) | flag(form > 0, HAS_FORM);
    out.put_u8(times | others);
    out.put_u8(C::ID);
    let loaded_at = at.wall.checked_sub(at.now.since(life.loaded_at)).unwrap_or(UNIX_EPOCH);
    out.put_slice(&millis_since_1970(loaded_at).to_le_bytes()[..6]);
    for (_, span, _) in spans.iter().filter(|span| is_written(span)) {
        put_varint(millis(*span), out);
    }
    if wire.version > 0 {
        put_varint(u64::from(wire.version), out);
    }
    if form > 0 {
        out.put_u8(form);
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
    Ok(out.len())
}

pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7F {
        out.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.put_u8(value.to_le_bytes()[0]);
}

pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    put_varint(text.len() as u64, out);
    out.put_slice(text.as_bytes());
}
