//! Compression: methods for [`Cache::compressed`], and the short forms `.zstd(3)`, `.lz4()`, `.gzip(6)`.
//!
//! | type | feature | number | for |
//! |---|---|---|---|
//! | `Zstd` | `zstd` | 1 | the best ratio for its time; a library in C |
//! | `Lz4` | `lz4` | 2 | the least time, a modest ratio |
//! | `Gzip` | `gzip` | 3 | stores that others read as well |
//!
//! The number travels with every value, and each of them reads what the others wrote, as far as their features are
//! enabled: so the method can be changed while the store is full. What travels is no larger than before: a value that
//! does not become smaller is stored as it is.

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(feature = "gzip")]
pub use gzip::Gzip;
#[cfg(feature = "lz4")]
pub use lz4::Lz4;
#[cfg(feature = "zstd")]
pub use zstd::Zstd;

use bytes::Bytes;
use larder_core::{ByteStore, Cache, Compress, Error, ErrorKind, Format, Holds, Key, Lookup, Result};

/// Below this, what a frame costs eats up most of what it gains, and the time is not worth it.
const MIN_BYTES: usize = 1024;

/// Short forms of [`Cache::compressed`]; `use larder::prelude::*` brings them.
///
/// They exist for a level that keeps bytes, and are said before [`chain`](Cache::chain).
///
/// # Examples
///
/// ```
/// # #[cfg(all(feature = "zstd", feature = "json"))]
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use larder_codecs::{Compressing, Json};
/// use larder_core::Cache;
/// # use larder_testkit::FakeBytes;
/// # let redis = FakeBytes::new();
///
/// let pages = Cache::new(redis).codec(Json).zstd(3);
/// pages.insert("/", "over and over ".repeat(1_000)).await?;
/// assert_eq!(pages.get("/").await?.unwrap().len(), 14_000);
/// # larder_core::Result::Ok(()) }).unwrap();
/// ```
pub trait Compressing: Sized + sealed::Sealed {
    /// Compresses values of 1,024 bytes and more with zstd, at a level of 1 (fast) to 22 (small); 3 is the usual one, and
    /// negative ones are faster still. [`Zstd`] says more.
    ///
    /// # Panics
    ///
    /// If zstd has no such level.
    #[cfg(feature = "zstd")]
    #[must_use = "the cache is returned, not changed in place"]
    #[track_caller]
    fn zstd(self, level: i32) -> Self
    where
        Self: Compressible,
    {
        Compressible::with(self, Zstd::level(level))
    }

    /// Compresses values of 1,024 bytes and more with LZ4. [`Lz4`] says more.
    #[cfg(feature = "lz4")]
    #[must_use = "the cache is returned, not changed in place"]
    fn lz4(self) -> Self
    where
        Self: Compressible,
    {
        Compressible::with(self, Lz4::new())
    }

    /// Compresses values of 1,024 bytes and more with gzip, at a level of 1 (fast) to 9 (small); 6 is the usual one.
    /// [`Gzip`] says more.
    ///
    /// # Panics
    ///
    /// If the level is not 1 to 9.
    #[cfg(feature = "gzip")]
    #[must_use = "the cache is returned, not changed in place"]
    #[track_caller]
    fn gzip(self, level: u32) -> Self
    where
        Self: Compressible,
    {
        Compressible::with(self, Gzip::level(level))
    }
}

impl<K: ?Sized + Lookup, V, S, C> Compressing for Cache<K, V, S, C> {}

/// A cache of one level that keeps bytes. Implemented for these, never by hand.
pub trait Compressible: Sized + sealed::Sealed {
    #[doc(hidden)]
    #[must_use]
    fn with(self, compression: impl Compress) -> Self;
}

impl<K, V, S, C> Compressible for Cache<K, V, S, C>
where
    K: ?Sized + Key,
    V: Clone + Send + Sync + 'static,
    S: ByteStore,
    C: Holds<S, K, V> + Format,
{
    fn with(self, compression: impl Compress) -> Self {
        self.compressed(compression)
    }
}

mod sealed {
    use larder_core::{Cache, Lookup};

    pub trait Sealed {}

    impl<K: ?Sized + Lookup, V, S, C> Sealed for Cache<K, V, S, C> {}
}

/// Of whichever method that is enabled.
fn decompress(method: u8, compressed: &[u8], raw_bytes: usize) -> Result<Bytes> {
    match method {
        #[cfg(feature = "zstd")]
        zstd::METHOD => zstd::decompress(compressed, raw_bytes),
        #[cfg(feature = "lz4")]
        lz4::METHOD => lz4::decompress(compressed, raw_bytes),
        #[cfg(feature = "gzip")]
        gzip::METHOD => gzip::decompress(compressed, raw_bytes),
        _ => {
            let who = match method {
                1 => "zstd, and larder's feature `zstd` is off",
                2 => "LZ4, and larder's feature `lz4` is off",
                3 => "gzip, and larder's feature `gzip` is off",
                _ => "a method that is none of larder's",
            };
            Err(Error::new(ErrorKind::Codec, format!("the value is compressed with {who}")))
        }
    }
}

/// Returns an empty buffer for `raw_bytes`, unless so few compressed bytes cannot make so many.
fn room(compressed: &[u8], raw_bytes: usize, most_a_byte: usize) -> Result<Vec<u8>> {
    if raw_bytes > compressed.len().saturating_mul(most_a_byte) {
        return Err(damaged("so few cannot become so many"));
    }
    let mut raw = Vec::new();
    let refused = |error| Error::new(ErrorKind::TooLarge, "no memory to decompress it").caused_by(error);
    raw.try_reserve_exact(raw_bytes).map_err(refused)?;
    Ok(raw)
}

fn damaged(why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("they cannot be decompressed: {why}"))
}
