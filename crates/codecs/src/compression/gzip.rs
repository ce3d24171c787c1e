//! gzip.

use super::{MIN_BYTES, damaged, decompress as any, room};
use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use larder_core::{Compress, Error, ErrorKind, Result};
use std::io::{Read, Write};

pub(super) const METHOD: u8 = 3;
/// What deflate makes of a byte at most is 1,032.
const MOST_A_BYTE: usize = 1032;

/// Compresses with gzip, which everything reads.
///
/// # Default
///
/// - smallest value that is compressed: 1,024 bytes
///
/// # Examples
///
/// ```
/// use larder_codecs::Gzip;
/// use larder_core::{Clock, Entry, Raw, SystemClock, Wire};
/// use bytes::Bytes;
///
/// let wire = Wire::new(Raw).compressed(Gzip::level(6).min_bytes(100));
/// let page = Entry::new(Bytes::from("over and over ".repeat(1_000)), SystemClock.now());
/// let bytes = wire.seal("pages:/", &page, &SystemClock)?;
/// assert!(bytes.len() < 200);
/// assert_eq!(wire.open("pages:/", &bytes, &SystemClock)?.value(), page.value());
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gzip {
    level: u32,
    min_bytes: usize,
}

impl Gzip {
    /// Makes it with a level of 1 (fast) to 9 (small); 6 is the usual one.
    ///
    /// # Panics
    ///
    /// If the level is not 1 to 9.
    #[track_caller]
    pub fn level(level: u32) -> Self {
        assert!((1..=9).contains(&level), "gzip has the levels 1 to 9, not {level}");
        Gzip { level, min_bytes: MIN_BYTES }
    }

    /// Sets the size from which on values are compressed; `usize::MAX` only reads compressed ones.
    #[must_use = "the method is returned, not changed in place"]
    pub fn min_bytes(self, min_bytes: usize) -> Self {
        Gzip { min_bytes, ..self }
    }
}

impl Compress for Gzip {
    fn method(&self) -> u8 {
        METHOD
    }

    fn name(&self) -> &'static str {
        "gzip"
    }

    fn min_bytes(&self) -> usize {
        self.min_bytes
    }

    fn compress(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed = |error| Error::new(ErrorKind::Codec, "gzip could not compress it").caused_by(error);
        let mut encoder = GzEncoder::new(&mut *out, Compression::new(self.level));
        encoder.write_all(raw).map_err(failed)?;
        encoder.finish().map(drop).map_err(failed)
    }

    fn decompress(&self, method: u8, compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
        any(method, compressed, raw_bytes)
    }
}

pub(super) fn decompress(compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
    let mut raw = room(compressed, raw_bytes, MOST_A_BYTE)?;
    // One more than there should be: so the end is reached, with its checksum, or it is too long.
    let mut decoder = GzDecoder::new(compressed).take(raw_bytes as u64 + 1);
    let made = decoder.read_to_end(&mut raw);
    let is_all = decoder.into_inner().into_inner().is_empty();
    match made {
        Ok(_) if is_all => Ok(raw.into()),
        _ => Err(damaged("it is no gzip, or longer than it says")),
    }
}
