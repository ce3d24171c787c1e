//! What tells a store whether it holds a value already, whenever that was loaded.

use super::header::{Echo, Header};
use super::{checksum, corrupt, notes};
use crate::Result;
use twox_hash::xxhash3_128;

/// Seed of [`fingerprint`], so that it is no other hash that someone may have kept.
const SEED: u64 = 0x6C61_7264_6572_0002;

/// Returns a hash of what an envelope holds, whenever it was loaded: of its key, codec, version, form, tags, entity tag,
/// date of change, payload, and where the log of invalidations stood; not of its times, nor of how long the load took.
///
/// For a store that spares itself to write what it holds. Two envelopes with one fingerprint hold the same value
/// of the same key, as surely as XXH3-128 tells. The same value encrypted twice has two fingerprints.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when the bytes are no envelope that this release can read, or a
/// damaged one: nobody is to be spared the write that mends it.
///
/// # Examples
///
/// ```
/// assert!(larder_core::envelope::fingerprint(b"something else").is_err());
/// ```
pub fn fingerprint(bytes: &[u8]) -> Result<u128> {
    let (header, mut reader) = Header::read(bytes)?;
    if header.checksum != checksum(bytes) {
        return Err(corrupt("the checksum does not match"));
    }
    let mut hash = xxhash3_128::Hasher::with_seed(SEED);
    // Each part behind its length: no two different lists of parts make the same bytes.
    let part = |hash: &mut xxhash3_128::Hasher, part: &[u8]| {
        hash.write(&(part.len() as u64).to_le_bytes());
        hash.write(part);
    };
    part(&mut hash, &[header.codec, header.form, u8::from(header.has_notes)]);
    part(&mut hash, &header.schema.to_le_bytes());
    // Without it, what was invalidated would stay so: the same value, loaded anew, would not be written.
    if let Some(position) = header.position {
        part(&mut hash, &position.era.to_le_bytes());
        part(&mut hash, &position.number.to_le_bytes());
    }
    match reader.echo()? {
        Echo::Text(key) => part(&mut hash, key.as_bytes()),
        Echo::Hash(key) => part(&mut hash, &key.to_le_bytes()),
    }
    if header.has_notes {
        let extra = notes::read(&mut reader)?;
        let changed = extra.last_modified.map(super::millis_since_1970);
        part(&mut hash, &changed.map_or(Vec::new(), |millis| millis.to_le_bytes().into()));
        part(&mut hash, &[u8::from(extra.etag.is_some())]);
        part(&mut hash, extra.etag.as_deref().unwrap_or_default().as_bytes());
        part(&mut hash, &(extra.tags.len() as u64).to_le_bytes());
        for tag in &extra.tags {
            part(&mut hash, tag.as_bytes());
        }
    }
    part(&mut hash, &bytes[reader.position..]);
    Ok(hash.finish_128())
}

#[cfg(test)]
mod tests {
    use super::super::Moment;
    use super::*;
    use crate::extra::Extra;
    use crate::holds::Stamp;
    use crate::wire::Wire;
    use crate::{Entry, Raw, Time};
    use bytes::Bytes;
    use std::time::{Duration, UNIX_EPOCH};

    struct Said {
        key: &'static str,
        value: &'static str,
        seconds: u64,
        life: u64,
        extra: Extra,
        version: u32,
    }

    fn said() -> Said {
        Said {
            key: "users:ada",
            value: "countess",
            seconds: 0,
            life: 60,
            extra: extra(&["people"], Some("v1")),
            version: 0,
        }
    }

    fn extra(tags: &[&str], etag: Option<&str>) -> Extra {
        let tags = tags.iter().map(|tag| (*tag).into()).collect();
        Extra { tags, etag: etag.map(Into::into), ..Extra::default() }
    }

    fn sealed(said: Said) -> Bytes {
        let span = Duration::from_secs(1_000 + said.seconds);
        let at = Moment { now: Time::from_nanos(0).after(span), wall: UNIX_EPOCH + span };
        let entry = Entry::new((), at.now)
            .fresh_for(Duration::from_secs(said.life))
            .stale_for(Duration::from_secs(30))
            .kept_for(Duration::from_secs(5));
        let stamp = Stamp { life: entry.life(), extra: said.extra.shared() };
        let wire = Wire::new(Raw).version(said.version);
        wire.seal_at(said.key, &Bytes::from_static(said.value.as_bytes()), &stamp, at).unwrap()
    }

    #[test]
    fn the_same_value_has_the_same_fingerprint_whenever_and_however_long_it_was_loaded() {
        let one = fingerprint(&sealed(said())).unwrap();
        assert_eq!(fingerprint(&sealed(Said { seconds: 77, life: 6_000, ..said() })).unwrap(), one);
        let slow = Extra { took: Some(Duration::from_secs(3)), ..said().extra };
        assert_eq!(fingerprint(&sealed(Said { extra: slow, ..said() })).unwrap(), one);
    }

    #[test]
    fn whatever_else_differs_differs_in_the_fingerprint() {
        let different = [
            said(),
            Said { key: "users:bob", ..said() },
            Said { key: "", ..said() },
            Said { version: 1, ..said() },
            Said { value: "countesses", ..said() },
            Said { extra: Extra::default(), ..said() },
            Said { extra: extra(&["people"], None), ..said() },
            Said { extra: extra(&["people"], Some("")), ..said() },
            Said { extra: extra(&["people", "v1"], Some("v1")), ..said() },
            Said { extra: extra(&["peoplev1"], None), ..said() },
            Said { extra: Extra { last_modified: Some(UNIX_EPOCH), ..said().extra }, ..said() },
        ];
        let seen: std::collections::HashSet<_> =
            different.into_iter().map(|said| fingerprint(&sealed(said)).unwrap()).collect();
        assert_eq!(seen.len(), 11);
    }

    #[test]
    fn a_damaged_envelope_has_no_fingerprint() {
        let bytes = sealed(said());
        for length in 0..bytes.len() {
            assert!(fingerprint(&bytes[..length]).is_err(), "cut at {length}");
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[place] ^= 1;
            assert!(fingerprint(&damaged).is_err(), "at {place}");
        }
    }
}
