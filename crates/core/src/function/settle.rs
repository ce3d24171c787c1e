//! What is done at once, or is a future.

use crate::Result;
use crate::block_on::block_on;
use std::future::{Future, ready};

/// The outcome of an invalidation, at once or later: what a companion of a function returns is a `Result` if the function is
/// synchronous, and a future if not. Has the same methods for both; those of futures are in [`SettleLater`].
///
/// # Examples
///
/// ```
/// use larder_core::function::{Settle, SettleLater as _};
///
/// assert!(Settle(Ok(())).wait().is_ok());
/// assert!(Settle(async { Ok(()) }).wait().is_ok());
/// ```
#[derive(Debug)]
#[must_use = "a future does nothing until it is waited for"]
pub struct Settle<T>(pub T);

impl Settle<Result<()>> {
    /// Returns the outcome.
    ///
    /// # Errors
    ///
    /// As the invalidation.
    pub fn wait(self) -> Result<()> {
        self.0
    }

    /// Returns the outcome.
    ///
    /// # Errors
    ///
    /// As the invalidation.
    pub fn done(self) -> impl Future<Output = Result<()>> + Send {
        ready(self.0)
    }
}

/// What [`Settle`] does with a future.
pub trait SettleLater {
    /// Waits on this thread.
    ///
    /// # Errors
    ///
    /// As the invalidation.
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking).
    fn wait(self) -> Result<()>;

    /// Waits.
    ///
    /// # Errors
    ///
    /// As the invalidation.
    fn done(self) -> impl Future<Output = Result<()>> + Send;
}

impl<F: Future<Output = Result<()>> + Send> SettleLater for Settle<F> {
    #[track_caller]
    fn wait(self) -> Result<()> {
        block_on(None, self.0)
    }

    fn done(self) -> impl Future<Output = Result<()>> + Send {
        self.0
    }
}
