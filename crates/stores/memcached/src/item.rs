//! What is in an item: a head of 16 bytes, and the value.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the generation of the namespace when it was written, big endian |
//! | 8 | when it expires, in milliseconds since 1970, big endian; 0 for never |
//!
//! The flags say whether it is a value or a guard.

use crate::reply::{Found, Value};
use bytes::{BufMut, Bytes, BytesMut};
use larder_core::{Clock, SystemClock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// In front of each value.
pub(crate) const HEAD_BYTES: usize = 16;
/// The flags of a guard; those of a value are 0. "lard" in ASCII.
pub(crate) const GUARD: u32 = 0x6C61_7264;
/// memcached takes more seconds than these for seconds since 1970.
const LONGEST_SPAN: u64 = 30 * 24 * 3600;
/// The last moment, in 2038, that it can be told.
const LATEST: u64 = i32::MAX as u64;

/// Which values of a namespace are alive: those that were written under the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(pub(crate) u64);

impl Generation {
    /// Makes one that was never used, on whichever server.
    pub(crate) fn random() -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        // Keyed by the operating system's random numbers.
        Generation(RandomState::new().build_hasher().finish())
    }
}

/// What was found under a name.
#[derive(Debug)]
pub(crate) enum Item {
    Value {
        bytes: Bytes,
        cas: u64,
    },
    /// A value of ours, of so many bytes, which are too many.
    TooLarge(u64),
    Guard {
        cas: u64,
        left: Option<u64>,
    },
    /// Something of an older generation, or that has expired, or is not ours: nothing.
    Dead {
        cas: u64,
    },
}

/// Says what an item is in `generation`.
pub(crate) fn judge(found: Found, generation: Generation) -> Item {
    let Found { value, flags, cas, left } = found;
    let bytes = match value {
        Value::Read(bytes) => bytes,
        Value::TooLarge(length) => return Item::TooLarge(length.saturating_sub(HEAD_BYTES as u64)),
    };
    let Some((head, _)) = bytes.split_first_chunk::<HEAD_BYTES>() else { return Item::Dead { cas } };
    let [written, deadline] = [0, 8].map(|at| {
        let mut number = [0; 8];
        number.copy_from_slice(&head[at..at + 8]);
        u64::from_be_bytes(number)
    });
    if written != generation.0 {
        return Item::Dead { cas };
    }
    match flags {
        GUARD => Item::Guard { cas, left },
        0 if deadline == 0 || millis(SystemClock.wall()) < deadline => {
            Item::Value { bytes: bytes.slice(HEAD_BYTES..), cas }
        }
        _ => Item::Dead { cas },
    }
}

/// Returns the head of an item.
pub(crate) fn head(generation: Generation, expires_at: Option<SystemTime>) -> Bytes {
    let mut head = BytesMut::with_capacity(HEAD_BYTES);
    head.put_u64(generation.0);
    // What expired in 1970 has expired as well a millisecond later.
    head.put_u64(expires_at.map_or(0, |deadline| millis(deadline).max(1)));
    head.freeze()
}

/// Returns the milliseconds since 1970, rounded up: what a deadline is judged by must not be early.
fn millis(time: SystemTime) -> u64 {
    let nanos = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    u64::try_from(nanos.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Returns when memcached may forget what expires at `expires_at`; not earlier, and two seconds later at most.
pub(crate) fn exptime(expires_at: Option<SystemTime>) -> i64 {
    expires_at.map_or(0, |deadline| exptime_at(deadline, SystemClock.wall()))
}

/// The same for what lasts `span` from now.
pub(crate) fn exptime_of(span: Duration) -> i64 {
    let now = SystemClock.wall();
    now.checked_add(span).map_or(0, |deadline| exptime_at(deadline, now))
}

fn exptime_at(deadline: SystemTime, now: SystemTime) -> i64 {
    let Ok(span) = deadline.duration_since(now) else { return -1 };
    // Its clock ticks once a second, so that a second may be over at once.
    let seconds = up(span) + 1;
    if seconds <= LONGEST_SPAN {
        return i64::try_from(seconds).unwrap_or(0);
    }
    let moment = up(deadline.duration_since(UNIX_EPOCH).unwrap_or_default()) + 1;
    // Past what it can be told, it keeps the item, and the head says when it has expired.
    if moment <= LATEST { i64::try_from(moment).unwrap_or(0) } else { 0 }
}

fn up(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0)).min(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn memcached_forgets_no_earlier_than_asked_for() {
        // In 2026.
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let at = |span: Duration| exptime_at(now + span, now);
        assert_eq!(exptime_at(now - Duration::from_nanos(1), now), -1);
        assert_eq!(at(Duration::from_millis(1)), 2, "its clock may tick at any moment");
        assert_eq!(at(Duration::from_secs(1)), 2);
        assert_eq!(at(Duration::from_millis(1_001)), 3);
        assert_eq!(at(30 * DAY - Duration::from_secs(1)), 2_592_000);
        assert_eq!(at(30 * DAY), 1_800_000_000 + 2_592_000 + 1, "more is a moment, and no span");
        assert_eq!(at(365 * DAY), 1_800_000_000 + 365 * 86_400 + 1);
        assert_eq!(exptime_at(UNIX_EPOCH + Duration::from_secs(LATEST - 1), now), i64::from(i32::MAX));
        assert_eq!(exptime_at(UNIX_EPOCH + Duration::from_secs(LATEST), now), 0, "past 2038 it lasts");
        assert_eq!(exptime_of(Duration::MAX), 0);
    }

    fn found(value: &[u8], flags: u32) -> Found {
        Found { value: Value::Read(Bytes::copy_from_slice(value)), flags, cas: 7, left: None }
    }

    #[test]
    fn what_is_not_of_this_generation_is_nothing() {
        let (ours, other) = (Generation(1), Generation(2));
        let item = [&head(ours, None)[..], b"1815"].concat();
        assert!(matches!(judge(found(&item, 0), ours), Item::Value { bytes, cas: 7 } if bytes == "1815"));
        assert!(matches!(judge(found(&item, 0), other), Item::Dead { cas: 7 }));
        assert!(matches!(judge(found(&item, GUARD), ours), Item::Guard { cas: 7, left: None }));
        assert!(matches!(judge(found(&item, GUARD), other), Item::Dead { .. }));
        assert!(matches!(judge(found(&item, 1), ours), Item::Dead { .. }), "someone else's");
        for length in 0..HEAD_BYTES {
            assert!(matches!(judge(found(&item[..length], 0), ours), Item::Dead { .. }), "{length}");
        }
    }

    #[test]
    fn a_deadline_is_kept_to_the_millisecond() {
        let item = |deadline: SystemTime| found(&head(Generation(1), Some(deadline)), 0);
        let now = SystemClock.wall();
        assert!(matches!(judge(item(now + DAY), Generation(1)), Item::Value { .. }));
        assert!(matches!(judge(item(now - Duration::from_millis(2)), Generation(1)), Item::Dead { .. }));
        assert!(matches!(judge(item(UNIX_EPOCH), Generation(1)), Item::Dead { .. }));
        assert!(matches!(
            judge(item(UNIX_EPOCH + Duration::from_secs(1 << 60)), Generation(1)),
            Item::Value { .. }
        ));
    }
}
