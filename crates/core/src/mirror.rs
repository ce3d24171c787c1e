//! A private copy of a value that another process keeps fresh.

use crate::{Error, LoadError, Reader, Refreshed};
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

/// A private copy of a value that another process keeps fresh: what [`Cache::mirror`](crate::Cache::mirror) makes.
///
/// Reading it is a look at a pointer: it never waits, and never asks the store. It is read from the store every interval; while
/// that fails it holds the last value, and [`age`](Self::age) tells how old that is. Once the store answers, and a
/// tenth of a second later again, that there is nothing under the key, there is nothing.
///
/// When it is dropped, or [shut down](Self::shutdown), the store is not read any more.
#[must_use = "it is kept up to date until it is dropped"]
pub struct Mirror<V> {
    copy: Refreshed<V, Infallible>,
}

impl<V: Clone + Send + Sync + 'static> Mirror<V> {
    pub(crate) fn new(copy: Refreshed<V, Infallible>) -> Self {
        Mirror { copy }
    }

    /// Returns the value; `None` before the first answer of the store, and where that had nothing.
    ///
    /// It never waits for the store.
    #[inline]
    pub fn get(&self) -> Option<V> {
        self.copy.get()
    }

    /// Returns the value once the store has answered for the first time.
    ///
    /// # Errors
    ///
    /// That of the last question, if there is no value and that failed.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ready(&self) -> crate::Result<Option<V>> {
        self.copy.answered().await.map_err(error)?;
        Ok(self.get())
    }

    /// Reads the store now, and returns what it has.
    ///
    /// # Errors
    ///
    /// That of the store; what there was stays.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn refresh(&self) -> crate::Result<Option<V>> {
        self.copy.load_by_hand().await.map_err(error)?;
        Ok(self.get())
    }

    /// Returns how long ago the load of the value began, in whichever process that was; `None` without a value.
    pub fn age(&self) -> Option<Duration> {
        self.copy.age()
    }

    /// Returns why the store was last read in vain; `None` if it answered.
    pub fn last_error(&self) -> Option<Error> {
        self.copy.last_error().map(error)
    }

    /// Returns a handle that reads the same copy, and does not keep it up to date.
    pub fn reader(&self) -> Reader<V> {
        self.copy.reader()
    }

    /// Stops, and waits until it has stopped.
    ///
    /// # Cancel safety
    ///
    /// It stops all the same.
    pub async fn shutdown(self) {
        self.copy.shutdown().await;
    }
}

/// Reading has no errors but those of stores.
fn error(error: LoadError<Infallible>) -> Error {
    match error {
        LoadError::Store(error) => error,
        other => Error::new(crate::ErrorKind::Closed, other.to_string()),
    }
}

impl<V> fmt::Debug for Mirror<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").finish_non_exhaustive()
    }
}
