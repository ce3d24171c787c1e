//! What can go wrong with a store, a codec or the bytes between them.

use std::fmt;
use std::sync::Arc;

/// The result of an operation on a store or a cache.
pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of a store, of a codec, or of bytes that are not what they should be.
///
/// Opaque on purpose: a cache is composed of levels, and callers decide by [`kind`](Error::kind), not by the
/// driver's own type (which [`source`](std::error::Error::source) still has). `Display` prints this error
/// only; its sources are for reporters such as `anyhow`. Cloning is cheap: one failure may be the answer of many calls.
///
/// # Examples
///
/// ```
/// use larder_core::{Error, ErrorKind};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = Error::new(ErrorKind::Store, "no connection to port 6379").caused_by(refused);
/// assert_eq!(error.kind(), ErrorKind::Store);
/// assert_eq!(error.to_string(), "the store failed: no connection to port 6379");
/// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "connection refused");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    kind: ErrorKind,
    message: String,
    level: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store itself failed: no connection, no space, no permission.
    Store,
    /// A value could not be encoded, or its bytes could not be decoded.
    Codec,
    /// Bytes that are no envelope of ours, or a damaged one, or that of another key.
    Corrupt,
    /// A value or a stored object is larger than the level allows.
    TooLarge,
    /// The store cannot do what was asked.
    Unsupported,
    /// The settings cannot be used: an address that is none, a password that is refused, a feature that is off.
    Config,
    /// The store did not answer in time. What was to be written may still arrive, see
    /// [`level_timeout`](crate::Cache::level_timeout).
    Timeout,
    /// The store was not asked: its [`breaker`](crate::Cache::breaker) is open, because too many calls failed.
    BreakerOpen,
    /// The key is [published](crate::Cache::publish) by this process already.
    DuplicateWriter,
    /// The work ended before it was done, because its runtime ended or it panicked.
    Closed,
}

impl ErrorKind {
    fn words(self) -> &'static str {
        match self {
            ErrorKind::Store => "the store failed",
            ErrorKind::Codec => "the codec failed",
            ErrorKind::Corrupt => "the stored bytes are not usable",
            ErrorKind::TooLarge => "the value is too large",
            ErrorKind::Unsupported => "the store cannot do this",
            ErrorKind::Config => "the settings cannot be used",
            ErrorKind::Timeout => "the store did not answer",
            ErrorKind::BreakerOpen => "the store was not asked",
            ErrorKind::DuplicateWriter => "a second writer",
            ErrorKind::Closed => "the work was cut off",
        }
    }

    /// Whether the store answered, and only what it holds or was given is unusable.
    pub(crate) fn is_about_the_value(self) -> bool {
        matches!(self, ErrorKind::Codec | ErrorKind::Corrupt | ErrorKind::TooLarge)
    }
}

impl Error {
    /// Makes an error of a kind and a message, which should name the cure where there is one.
    ///
    /// The message must not contain values, passwords or encryption keys: it is printed.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Arc::new(Parts { kind, message: message.into(), level: None, source: None }))
    }

    /// Makes an error of [`ErrorKind::Store`] that was caused by `source` and says no more than that.
    pub fn store(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Store, "").caused_by(source)
    }

    /// Makes an error of [`ErrorKind::Codec`] that was caused by `source` and says no more than that.
    pub fn codec(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Codec, "").caused_by(source)
    }

    /// Attaches what caused the error. Its text is its own: reporters print it, this error's `Display` does not.
    #[must_use = "the error is returned, not changed in place"]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        Arc::make_mut(&mut self.0).source = Some(source.into().into());
        self
    }

    /// Returns what sort of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the level at which it happened, such as `L2 Object`, once a cache has seen it.
    pub fn level(&self) -> Option<&str> {
        self.0.level.as_deref()
    }

    pub(crate) fn at_level(mut self, level: impl Into<String>) -> Self {
        if self.0.level.is_none() {
            Arc::make_mut(&mut self.0).level = Some(level.into());
        }
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("level", &self.0.level)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(level) = &self.0.level {
            write!(f, "{level}: ")?;
        }
        f.write_str(self.0.kind.words())?;
        if self.0.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.0.message) }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
