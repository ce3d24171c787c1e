//! Why a load gave no value.

use crate::Error;
use std::fmt;
use std::sync::Arc;

/// Why `get_or_load` has no value: the loader's own error, or what became of the load.
///
/// One load serves many callers, so its error is shared between them.
///
/// # Examples
///
/// ```
/// use larder_core::LoadError;
/// use std::sync::Arc;
///
/// let error: LoadError<String> = LoadError::Load(Arc::new("no such user".into()));
/// assert_eq!(error.to_string(), "the load failed: no such user");
/// assert_eq!(error.as_load().map(String::as_str), Some("no such user"));
/// ```
#[non_exhaustive]
pub enum LoadError<E> {
    /// The loader returned this error.
    Load(Arc<E>),
    /// The loader panicked; the text is the panic's message.
    Panicked(Arc<str>),
    /// The load took longer than [`hard_timeout`](crate::Cache::hard_timeout) allows, and goes on in the background; or
    /// longer than [`max_load_time`](crate::Cache::max_load_time), and was cut off.
    Timeout,
    /// The load, or one it waits for, asked for a key that is waiting for it. A wait inside a task that a loader
    /// spawned itself is not seen.
    Cycle,
    /// A level failed, and [`on_store_error`](crate::Cache::on_store_error) says that this makes the call fail. Nothing
    /// was loaded.
    Store(Error),
    /// The load was cut off before it ended, because the runtime that ran it ended.
    Abandoned,
}

impl<E> LoadError<E> {
    /// Returns the loader's own error, if that is what happened.
    pub fn as_load(&self) -> Option<&E> {
        match self {
            LoadError::Load(error) => Some(error),
            _ => None,
        }
    }
}

// By hand: a derive would ask for `E: Clone`, which sharing makes needless.
impl<E> Clone for LoadError<E> {
    fn clone(&self) -> Self {
        match self {
            LoadError::Load(error) => LoadError::Load(Arc::clone(error)),
            LoadError::Panicked(message) => LoadError::Panicked(Arc::clone(message)),
            LoadError::Timeout => LoadError::Timeout,
            LoadError::Cycle => LoadError::Cycle,
            LoadError::Store(error) => LoadError::Store(error.clone()),
            LoadError::Abandoned => LoadError::Abandoned,
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Load(error) => f.debug_tuple("Load").field(error).finish(),
            LoadError::Panicked(message) => f.debug_tuple("Panicked").field(message).finish(),
            LoadError::Timeout => f.write_str("Timeout"),
            LoadError::Cycle => f.write_str("Cycle"),
            LoadError::Store(error) => f.debug_tuple("Store").field(error).finish(),
            LoadError::Abandoned => f.write_str("Abandoned"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Load(error) => write!(f, "the load failed: {error}"),
            LoadError::Panicked(message) => write!(f, "the loader panicked: {message}"),
            LoadError::Timeout => f.write_str("the load takes too long"),
            LoadError::Cycle => f.write_str("the load asked for a key that waits for it"),
            LoadError::Store(error) => error.fmt(f),
            LoadError::Abandoned => f.write_str("the load was cut off: the runtime that ran it has ended"),
        }
    }
}

/// Without a bound on `E` beyond printing, so that it also holds for `anyhow::Error` and `String`. The text
/// of `E` is part of this error's own, and `source` is empty but for the source of a store's error.
impl<E: fmt::Debug + fmt::Display> std::error::Error for LoadError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LoadError::Store(error) => error.source(),
            _ => None,
        }
    }
}
