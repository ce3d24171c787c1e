//! Why an entry is no longer in the store.

/// Why an entry left a [`Memory`](crate::Memory): what its listener is told.
///
/// # Examples
///
/// ```
/// use larder_core::Cache;
/// use larder_memory::{Departure, Memory};
/// use std::sync::{Arc, Mutex};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let log = Arc::new(Mutex::new(Vec::new()));
/// let departed = log.clone();
/// let files = Cache::new(Memory::new(1).on_departure(move |name: &str, size: u64, why| {
///     departed.lock().unwrap().push((name.to_owned(), size, why));
/// }));
///
/// files.insert("a", 1).await?;
/// files.insert("a", 2).await?;
/// files.insert("b", 3).await?;
/// files.remove("b").await?;
///
/// let expected = [("a", 1, Departure::Replaced), ("a", 2, Departure::Evicted), ("b", 3, Departure::Removed)];
/// assert_eq!(*log.lock().unwrap(), expected.map(|(name, size, why)| (name.to_owned(), size, why)));
/// # larder_core::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Departure {
    /// Its key was removed.
    Removed,
    /// Its time had come, and a sweep freed it.
    Expired,
    /// Room was needed, or it was too heavy to be kept at all.
    Evicted,
    /// Everything was cleared.
    Cleared,
    /// Another value was inserted under its key.
    Replaced,
}
