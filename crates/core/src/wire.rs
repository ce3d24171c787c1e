//! How values travel: which codec, which version of the schema, compressed and encrypted or not.

mod open;
mod seal;

use crate::codec::{Codec, Format};
use crate::compress::Compress;
use crate::encrypt::Encrypt;
use crate::envelope::Moment;
use crate::holds::Stamp;
use crate::room::Room;
use crate::{Clock, Entry, Error, ErrorKind, Result};
use bytes::Bytes;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

const DEFAULT_MAX_VALUE_BYTES: usize = 64 << 20;

/// Seals entries into [envelopes](crate::envelope) and opens them, as the level of a cache does that was told the same.
///
/// For tools and stores that look at what a cache has stored. Caches need none: they are told by
/// [`codec`](crate::Cache::codec), [`version`](crate::Cache::version), [`compressed`](crate::Cache::compressed),
/// [`encrypted`](crate::Cache::encrypted) and [`max_value_bytes`](crate::Cache::max_value_bytes).
///
/// # Default
///
/// - version: 0
/// - neither compressed nor encrypted
/// - `max_value_bytes`: 64 MiB
///
/// # Examples
///
/// ```
/// use larder_core::{Clock, Entry, Raw, SystemClock, Wire};
/// use bytes::Bytes;
///
/// let (wire, clock) = (Wire::new(Raw), SystemClock);
/// let ada = Entry::new(Bytes::from("countess"), clock.now());
///
/// let bytes = wire.seal("users:ada", &ada, &clock)?;
/// assert_eq!(wire.open("users:ada", &bytes, &clock)?.value(), "countess");
/// assert!(wire.open("users:bob", &bytes, &clock).is_err());
/// # larder_core::Result::Ok(())
/// ```
pub struct Wire<C> {
    pub(crate) codec: Arc<C>,
    /// Of the schema that values of this codec have.
    pub(crate) version: u32,
    pub(crate) compression: Option<Arc<dyn Compress>>,
    pub(crate) encryption: Option<Arc<dyn Encrypt>>,
    /// Larger envelopes are neither written nor read, and no more than this is made of a compressed one.
    pub(crate) max_value_bytes: usize,
    /// What the buffers of values come to need.
    pub(crate) room: Arc<Room>,
}

impl<C: Format> Wire<C> {
    /// Makes a wire with this codec and nothing else.
    pub fn new(codec: C) -> Self {
        Wire::plain(codec)
    }

    /// Sets the version of the schema, as [`Cache::version`](crate::Cache::version) does.
    #[must_use = "the wire is returned, not changed in place"]
    pub fn version(self, version: u32) -> Self {
        Wire { version, ..self }
    }

    /// Compresses values, as [`Cache::compressed`](crate::Cache::compressed) does.
    ///
    /// # Panics
    ///
    /// If the method's number is not 1 to 15.
    #[must_use = "the wire is returned, not changed in place"]
    #[track_caller]
    pub fn compressed(self, compression: impl Compress) -> Self {
        let method = compression.method();
        assert!((1..16).contains(&method), "the number of a method of compression is 1 to 15, not {method}");
        Wire { compression: Some(Arc::new(compression)), ..self }
    }

    /// Encrypts values, as [`Cache::encrypted`](crate::Cache::encrypted) does.
    #[must_use = "the wire is returned, not changed in place"]
    pub fn encrypted(self, encryption: impl Encrypt) -> Self {
        Wire { encryption: Some(Arc::new(encryption)), ..self }
    }

    /// Sets the largest envelope, as [`Cache::max_value_bytes`](crate::Cache::max_value_bytes) does.
    #[must_use = "the wire is returned, not changed in place"]
    pub fn max_value_bytes(self, bytes: usize) -> Self {
        Wire { max_value_bytes: bytes, ..self }
    }

    /// Returns the envelope of an entry under `key`, which is the whole text that the store sees: with the namespace.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Codec`] when the value cannot be encoded, or code of its own panics
    /// - [`ErrorKind::TooLarge`] when the envelope would be too large, or has more than 10,000 tags
    pub fn seal<V>(&self, key: &str, entry: &Entry<V>, clock: &dyn Clock) -> Result<Bytes>
    where
        C: Codec<V>,
    {
        let stamp = Stamp { life: entry.life(), extra: entry.extra().cloned() };
        self.seal_at(key, entry.value(), &stamp, Moment::of(clock))
    }

    /// Returns the entry in an envelope that lay under `key`, the whole text that the store sees. Its times are on the
    /// line of `clock`; whether it is still of use is for the caller to judge.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`] when the bytes are no envelope, a damaged one, that of another key or of a newer
    ///   release, or one that is not encrypted with a key which this wire has
    /// - [`ErrorKind::Codec`] when they are of a codec or version that this wire does not read, or do not decode
    /// - [`ErrorKind::TooLarge`] when they are too large, or would be when decompressed
    pub fn open<V>(&self, key: &str, bytes: &Bytes, clock: &dyn Clock) -> Result<Entry<V>>
    where
        C: Codec<V>,
    {
        self.open_at(key, bytes, Moment::of(clock))
    }

    pub(crate) fn seal_at<V>(&self, key: &str, value: &V, stamp: &Stamp, at: Moment) -> Result<Bytes>
    where
        C: Codec<V>,
    {
        let bytes = caught(|| self.write(key, value, stamp, at))?;
        self.check_size(bytes.len())?;
        Ok(bytes)
    }

    pub(crate) fn open_at<V>(&self, key: &str, bytes: &Bytes, at: Moment) -> Result<Entry<V>>
    where
        C: Codec<V>,
    {
        self.check_size(bytes.len())?;
        caught(|| self.read(key, bytes, at))
    }

    /// The wire's parts, for people: `MessagePack, version 2, zstd, encrypted`.
    pub(crate) fn describe(&self) -> String {
        let version = (self.version > 0).then(|| format!("version {}", self.version));
        let compression = self.compression.as_ref().map(|compression| compression.name().to_owned());
        let encryption = self.encryption.is_some().then(|| "encrypted".to_owned());
        let parts = [Some(C::name().to_owned()), version, compression, encryption];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl<C> Wire<C> {
    /// Also for what stands where a codec would, and is none.
    pub(crate) fn plain(codec: C) -> Self {
        Wire {
            codec: Arc::new(codec),
            version: 0,
            compression: None,
            encryption: None,
            max_value_bytes: DEFAULT_MAX_VALUE_BYTES,
            room: Arc::default(),
        }
    }

    fn check_size(&self, bytes: usize) -> Result<()> {
        let most = self.max_value_bytes;
        if bytes <= most {
            return Ok(());
        }
        let message = format!("{bytes} bytes, where {most} are allowed; `.max_value_bytes(n)` allows more");
        Err(Error::new(ErrorKind::TooLarge, message))
    }

    /// The same in all but the codec.
    pub(crate) fn with_codec<D>(&self, codec: Arc<D>) -> Wire<D> {
        Wire {
            codec,
            version: self.version,
            compression: self.compression.clone(),
            encryption: self.encryption.clone(),
            max_value_bytes: self.max_value_bytes,
            room: Arc::clone(&self.room),
        }
    }
}

/// Runs code of a codec, whose panic is an error: a value's `Deserialize` must not stop the load that would replace
/// what it panics on.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let why =
            "the code of the codec or of the value panicked; the message may show the value and is withheld";
        Err(Error::new(ErrorKind::Codec, why))
    })
}

impl<C> Clone for Wire<C> {
    fn clone(&self) -> Self {
        self.with_codec(Arc::clone(&self.codec))
    }
}

impl<C: Format> fmt::Debug for Wire<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.describe())
    }
}
