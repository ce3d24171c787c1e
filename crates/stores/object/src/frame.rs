//! What a store writes around the bytes of a value, so that no two writes are alike, and in the place of a value:
//! the guard.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | magic `FE 4F` (no envelope begins so, and no text) |
//! | 1 | version, 1 |
//! | 1 | 0: a value follows; 1: a guard |
//! | 16 | a random number, another at each write |
//! | 8 | of a guard: until when it lasts, in milliseconds since 1970, little-endian |
//! | rest | of a value: its bytes |
//!
//! The entity tag of S3 is a hash of the content. Without the random number an object that was removed and
//! written again would have the tag of the first, and who read that would take it for unchanged.

use bytes::{BufMut, Bytes, BytesMut};
use object_store::PutPayload;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MAGIC: [u8; 2] = [0xFE, b'O'];
const VERSION: u8 = 1;
const VALUE: u8 = 0;
const GUARD: u8 = 1;
/// What is in front of a value.
pub(crate) const FRAME_BYTES: usize = 20;
const GUARD_BYTES: usize = FRAME_BYTES + 8;

/// Tells one write from every other, of whichever process.
pub(crate) type Id = [u8; 16];

/// What an object is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A value; without a number where it was written without a frame, as into a folder.
    Value { id: Option<Id>, bytes: Bytes },
    /// Nothing, and a place for a token.
    Guard { id: Id, until: SystemTime },
}

impl Stored {
    /// Reads an object, or as much of one as there is. What is no frame is the value's own bytes.
    pub(crate) fn read(object: Bytes) -> Self {
        let Some((kind, id)) = head(&object) else { return Stored::Value { id: None, bytes: object } };
        match (kind, object.get(FRAME_BYTES..GUARD_BYTES)) {
            (VALUE, _) => Stored::Value { id: Some(id), bytes: object.slice(FRAME_BYTES..) },
            (GUARD, Some(until)) => {
                let millis = until.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
                // What is too far for this platform is damage: a guard that may go at once.
                let until = UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH);
                Stored::Guard { id, until }
            }
            // Of a newer release, or cut: no envelope, which the cache finds.
            _ => Stored::Value { id: None, bytes: object },
        }
    }

    /// Returns the bytes of a value.
    pub(crate) fn value(self) -> Option<Bytes> {
        match self {
            Stored::Value { bytes, .. } => Some(bytes),
            Stored::Guard { .. } => None,
        }
    }

    pub(crate) fn id(&self) -> Option<Id> {
        match self {
            Stored::Value { id, .. } => *id,
            Stored::Guard { id, .. } => Some(*id),
        }
    }
}

fn head(object: &[u8]) -> Option<(u8, Id)> {
    let fixed = object.get(..FRAME_BYTES)?;
    let id = fixed[4..].try_into().expect("the rest of twenty bytes is sixteen");
    (fixed[..2] == MAGIC && fixed[2] == VERSION).then_some((fixed[3], id))
}

/// Returns the object for a value. The bytes are not copied.
pub(crate) fn value(id: Id, bytes: Bytes) -> PutPayload {
    [open(VALUE, id).freeze(), bytes].into_iter().collect()
}

/// Returns the object for a guard.
pub(crate) fn guard(id: Id, until: SystemTime) -> PutPayload {
    let millis = until.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let mut object = open(GUARD, id);
    object.put_u64_le(u64::try_from(millis).unwrap_or(u64::MAX));
    object.freeze().into()
}

/// Tells whether a value must be framed even where nobody needs the number: it would be taken for a frame.
pub(crate) fn looks_framed(bytes: &[u8]) -> bool {
    head(bytes).is_some()
}

fn open(kind: u8, id: Id) -> BytesMut {
    let mut object = BytesMut::with_capacity(GUARD_BYTES);
    object.put_slice(&MAGIC);
    object.put_u8(VERSION);
    object.put_u8(kind);
    object.put_slice(&id);
    object
}

/// Returns a number that nobody had before: of a sequence that the system's randomness keys, once a process.
pub(crate) fn fresh_id() -> Id {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // The process too, for one that was forked from another with its keys.
    let number = (NEXT.fetch_add(1, Relaxed), std::process::id());
    let [low, high] = [&KEYS[0], &KEYS[1]].map(|keys| keys.hash_one(number).to_le_bytes());
    let mut id = [0; 16];
    id[..8].copy_from_slice(&low);
    id[8..].copy_from_slice(&high);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(payload: PutPayload) -> Bytes {
        payload.into()
    }

    #[test]
    fn a_value_of_any_bytes_comes_back() {
        for bytes in [&b""[..], b"countess", b"\xFEL\x01", b"\xFEO\x01\x00", &[0xFE; 100]] {
            let id = fresh_id();
            let bytes = Bytes::from_static(bytes);
            let framed = object(value(id, bytes.clone()));
            assert_eq!(framed.len(), FRAME_BYTES + bytes.len());
            assert!(looks_framed(&framed));
            assert_eq!(Stored::read(framed), Stored::Value { id: Some(id), bytes });
        }
    }

    #[test]
    fn a_guard_tells_until_when_and_is_no_value() {
        let until = UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
        let id = fresh_id();
        let read = Stored::read(object(guard(id, until)));
        assert_eq!(read, Stored::Guard { id, until });
        assert_eq!(read.value(), None);
    }

    #[test]
    fn what_is_no_frame_of_this_release_is_its_own_bytes() {
        let whole = object(guard(fresh_id(), UNIX_EPOCH));
        let mut newer = whole.to_vec();
        newer[2] = 2;
        let mut unknown = whole.to_vec();
        unknown[3] = 7;
        for bytes in [whole.slice(..27), whole.slice(..3), Bytes::new(), newer.into(), unknown.into()] {
            assert_eq!(Stored::read(bytes.clone()), Stored::Value { id: None, bytes });
        }
    }

    #[test]
    fn a_deadline_beyond_all_times_is_no_panic() {
        let mut object = object(guard(fresh_id(), UNIX_EPOCH)).to_vec();
        object[FRAME_BYTES..].fill(0xFF);
        assert!(matches!(Stored::read(object.into()), Stored::Guard { .. }));
    }

    #[test]
    fn numbers_do_not_repeat() {
        let ids: std::collections::HashSet<Id> = (0..10_000).map(|_| fresh_id()).collect();
        assert_eq!(ids.len(), 10_000);
    }

    /// What is stored is read by every release.
    #[test]
    fn frames_stay_as_they_were_released() {
        let framed = object(value([7; 16], Bytes::from_static(b"x")));
        assert_eq!(
            &framed[..],
            b"\xFEO\x01\x00\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07x"
        );
        let guarded = object(guard([7; 16], UNIX_EPOCH + Duration::from_millis(0x0102)));
        assert_eq!(&guarded[..4], b"\xFEO\x01\x01");
        assert_eq!(&guarded[FRAME_BYTES..], [2, 1, 0, 0, 0, 0, 0, 0]);
    }
}
