//! What a failing store does to the calls that meet it.

/// What becomes of a read when a level that it asks fails. See [`Cache::on_store_error`](crate::Cache::on_store_error).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnStoreError {
    /// The level is passed over: the next one, or the loader, answers.
    #[default]
    Degrade,
    /// The call returns the error.
    Fail,
}
