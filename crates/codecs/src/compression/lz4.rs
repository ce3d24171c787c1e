//! LZ4.

use super::{MIN_BYTES, damaged, decompress as any, room};
use bytes::Bytes;
use larder_core::{Compress, Error, ErrorKind, Result};
use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

pub(super) const METHOD: u8 = 2;
/// A byte of a match's length stands for 255 at most.
const MOST_A_BYTE: usize = 255;

/// Compresses with [LZ4](https://lz4.org), in one block: the fastest of the three, with the lowest ratio.
///
/// # Default
///
/// - smallest value that is compressed: 1,024 bytes
///
/// # Examples
///
/// ```
/// use larder_codecs::Lz4;
/// use larder_core::{Clock, Entry, Raw, SystemClock, Wire};
/// use bytes::Bytes;
///
/// let wire = Wire::new(Raw).compressed(Lz4::new().min_bytes(100));
/// let page = Entry::new(Bytes::from("over and over ".repeat(1_000)), SystemClock.now());
/// let bytes = wire.seal("pages:/", &page, &SystemClock)?;
/// assert!(bytes.len() < 200);
/// assert_eq!(wire.open("pages:/", &bytes, &SystemClock)?.value(), page.value());
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lz4 {
    min_bytes: usize,
}

impl Lz4 {
    /// Makes it. LZ4 has no levels.
    pub fn new() -> Self {
        Lz4 { min_bytes: MIN_BYTES }
    }

    /// Sets the size from which on values are compressed; `usize::MAX` only reads compressed ones.
    #[must_use = "the method is returned, not changed in place"]
    pub fn min_bytes(self, min_bytes: usize) -> Self {
        Lz4 { min_bytes }
    }
}

impl Default for Lz4 {
    fn default() -> Self {
        Lz4::new()
    }
}

impl Compress for Lz4 {
    fn method(&self) -> u8 {
        METHOD
    }

    fn name(&self) -> &'static str {
        "lz4"
    }

    fn min_bytes(&self) -> usize {
        self.min_bytes
    }

    fn compress(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed = |error| Error::new(ErrorKind::Codec, "lz4 could not compress it").caused_by(error);
        let start = out.len();
        out.resize(start + get_maximum_output_size(raw.len()), 0);
        let written = compress_into(raw, &mut out[start..]).map_err(failed)?;
        out.truncate(start + written);
        Ok(())
    }

    fn decompress(&self, method: u8, compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
        any(method, compressed, raw_bytes)
    }
}

pub(super) fn decompress(compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
    let mut raw = room(compressed, raw_bytes, MOST_A_BYTE)?;
    raw.resize(raw_bytes, 0);
    let made = decompress_into(compressed, &mut raw);
    raw.truncate(made.map_err(|_| damaged("it is no LZ4, or longer than it says"))?);
    Ok(raw.into())
}
