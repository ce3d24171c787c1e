//! zstd.

use super::{MIN_BYTES, damaged, decompress as any, room};
use bytes::Bytes;
use larder_core::{Compress, Error, ErrorKind, Result};
use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

pub(super) const METHOD: u8 = 1;
/// A larger context is not kept.
const KEPT_BYTES: usize = 2 << 20;
/// A block makes at most 128 KiB and takes at least 4 bytes.
const MOST_A_BYTE: usize = 32 * 1024;

/// Compresses with [zstd](https://facebook.github.io/zstd/), whose ratio is the best for the time it takes.
///
/// Each thread that compresses keeps a context of up to 2 MiB, and one of about 150 KiB if it decompresses: making them
/// anew would cost a small value more than compressing it. Level 3 needs 140 KiB for values of 5 KB and 1.3 MiB for large
/// ones; what level 9 and above need for large ones, 6 to 130 MiB, is freed after each.
///
/// # Default
///
/// - smallest value that is compressed: 1,024 bytes
///
/// # Examples
///
/// ```
/// use larder_codecs::Zstd;
/// use larder_core::{Clock, Entry, Raw, SystemClock, Wire};
/// use bytes::Bytes;
///
/// let wire = Wire::new(Raw).compressed(Zstd::level(3).min_bytes(100));
/// let page = Entry::new(Bytes::from("over and over ".repeat(1_000)), SystemClock.now());
/// let bytes = wire.seal("pages:/", &page, &SystemClock)?;
/// assert!(bytes.len() < 100);
/// assert_eq!(wire.open("pages:/", &bytes, &SystemClock)?.value(), page.value());
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Zstd {
    level: i32,
    min_bytes: usize,
}

impl Zstd {
    /// Makes it with a level of 1 (fast) to 22 (small); 3 is the usual one, and negative ones are faster still.
    ///
    /// # Panics
    ///
    /// If zstd has no such level, or for 0, by which zstd means its own default.
    #[track_caller]
    pub fn level(level: i32) -> Self {
        let levels = zstd::compression_level_range();
        assert!(
            level != 0 && levels.contains(&level),
            "zstd has the levels 1 to 22 and negative ones, not {level}"
        );
        Zstd { level, min_bytes: MIN_BYTES }
    }

    /// Sets the size from which on values are compressed; `usize::MAX` only reads compressed ones.
    #[must_use = "the method is returned, not changed in place"]
    pub fn min_bytes(self, min_bytes: usize) -> Self {
        Zstd { min_bytes, ..self }
    }
}

thread_local! {
    static COMPRESSOR: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Compress for Zstd {
    fn method(&self) -> u8 {
        METHOD
    }

    fn name(&self) -> &'static str {
        "zstd"
    }

    fn min_bytes(&self) -> usize {
        self.min_bytes
    }

    fn compress(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed = |error| Error::new(ErrorKind::Codec, "zstd could not compress it").caused_by(error);
        let start = out.len();
        out.resize(start + zstd::zstd_safe::compress_bound(raw.len()), 0);
        let written = COMPRESSOR.with_borrow_mut(|kept| {
            let compressor = match kept {
                Some((level, compressor)) if *level == self.level => compressor,
                _ => &mut kept.insert((self.level, Compressor::new(self.level)?)).1,
            };
            let written = compressor.compress_to_buffer(raw, &mut out[start..]);
            if compressor.context_mut().sizeof() > KEPT_BYTES {
                *kept = None;
            }
            written
        });
        out.truncate(start + written.map_err(failed)?);
        Ok(())
    }

    fn decompress(&self, method: u8, compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
        any(method, compressed, raw_bytes)
    }
}

pub(super) fn decompress(compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
    let mut raw = room(compressed, raw_bytes, MOST_A_BYTE)?;
    let made = DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress_to_buffer(compressed, &mut raw)
    });
    made.map(|_| raw.into()).map_err(|_| damaged("it is no zstd, or longer than it says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_after(level: i32, bytes: usize) -> Option<usize> {
        let raw: Vec<u8> = (0..bytes).map(|place| (place * place / 8).to_le_bytes()[0]).collect();
        Zstd::level(level).compress(&raw, &mut Vec::new()).unwrap();
        COMPRESSOR.with_borrow_mut(|kept| kept.as_mut().map(|kept| kept.1.context_mut().sizeof()))
    }

    #[test]
    fn a_thread_keeps_a_small_context_and_no_large_one() {
        assert!(kept_after(3, 5_000).is_some());
        assert!(kept_after(3, 8_000_000).is_some_and(|kept| kept < KEPT_BYTES));
        assert_eq!(kept_after(12, 8_000_000), None);
        assert!(kept_after(12, 5_000).is_some());
    }
}
