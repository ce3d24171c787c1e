//! What is under a key: a header of 16 bytes, and what was put.
//!
//! The crate's documentation has the format. The header is what compare-and-set compares: every write has another
//! token, so it names one state of the key.

use bytes::Bytes;
use larder_core::{Error, ErrorKind, Result};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(crate) const HEADER: usize = 16;
/// The first byte begins no UTF-8, no number and none of the usual formats.
const MAGIC: [u8; 2] = [0xFE, b'L'];
const VERSION: u8 = 1;
/// Also in the scripts.
const VALUE: u8 = b'v';
const GUARD: u8 = b'g';

/// A header that no other record has.
pub(crate) fn value_header() -> [u8; HEADER] {
    header(VALUE)
}

/// The header of a guard, which is all that there is of a guard.
pub(crate) fn guard_header() -> [u8; HEADER] {
    header(GUARD)
}

fn header(kind: u8) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&[MAGIC[0], MAGIC[1], VERSION, kind]);
    header[4..].copy_from_slice(&token());
    header
}

/// What is under a key: the bytes that were put, or nothing if it is a guard, and the header, which is the token.
pub(crate) fn open(mut record: Bytes) -> Result<(Option<Bytes>, Bytes)> {
    let ours = record.get(..4).filter(|head| head[..2] == MAGIC && record.len() >= HEADER);
    let Some(&[_, _, version, kind]) = ours else {
        return Err(foreign(&format!("{} bytes that larder did not write", record.len())));
    };
    if version != VERSION {
        return Err(foreign(&format!("a record of format {version}, where this release knows {VERSION}")));
    }
    let header = record.split_to(HEADER);
    match kind {
        VALUE => Ok((Some(record), header)),
        GUARD => Ok((None, header)),
        _ => Err(foreign("a record that is neither a value nor a guard")),
    }
}

fn foreign(found: &str) -> Error {
    let cure =
        "the next put replaces it; if another program uses these keys, choose another namespace or database";
    Error::new(ErrorKind::Corrupt, format!("the key has {found}; {cure}"))
}

/// Twelve bytes that no other record has: eight that this process drew, and four that count. When these are used up
/// the others change.
pub(crate) fn token() -> [u8; HEADER - 4] {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static NEXT: AtomicU64 = AtomicU64::new(0);
    token_of(*PROCESS, NEXT.fetch_add(1, Relaxed))
}

fn token_of(process: u64, number: u64) -> [u8; HEADER - 4] {
    let mut token = [0; HEADER - 4];
    token[..8].copy_from_slice(&process.wrapping_add(number >> 32).to_be_bytes());
    token[8..].copy_from_slice(&number.to_be_bytes()[4..]);
    token
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn record(head: &[u8], payload: &[u8]) -> Bytes {
        [head, payload].concat().into()
    }

    #[test]
    fn what_is_put_comes_out_without_a_copy_and_a_guard_has_nothing() {
        let head = value_header();
        let whole = record(&head, b"countess");
        let (payload, token) = open(whole.clone()).unwrap();
        let payload = payload.unwrap();
        assert_eq!((&*payload, &*token), (b"countess".as_slice(), head.as_slice()));
        assert_eq!(payload.as_ptr(), whole[HEADER..].as_ptr());
        assert_eq!(open(record(&value_header(), b"")).unwrap().0, Some(Bytes::new()));
        assert_eq!(open(record(&guard_header(), b"")).unwrap().0, None);
    }

    #[test]
    fn what_larder_did_not_write_is_corrupt() {
        let (value, mut newer, mut other) = (value_header(), value_header(), value_header());
        newer[2] = VERSION + 1;
        other[3] = b'x';
        for foreign in
            [b"".as_slice(), b"hello", b"a string of another program", &value[..15], &newer, &other]
        {
            let error = open(Bytes::copy_from_slice(foreign)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{foreign:?}");
            assert!(error.to_string().contains("another namespace"), "{error}");
            assert!(!error.to_string().contains("program uses this string"), "{error}");
        }
    }

    #[test]
    fn a_token_is_never_given_twice() {
        let drawn: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..10_000).map(|_| value_header()).collect::<Vec<_>>()))
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());

        let last = u64::from(u32::MAX);
        let around: Vec<_> = (last - 2..last + 3).map(|number| token_of(u64::MAX, number)).collect();
        assert_eq!(around.iter().collect::<HashSet<_>>().len(), around.len());
        assert_eq!(token_of(7, 0)[8..], token_of(7, last + 1)[8..]);
        assert_ne!(token_of(7, 0), token_of(7, last + 1));
    }
}
