//! What a bulk operation returns.

use crate::Error;
use std::fmt;
use std::ops::Deref;

/// What became of each key of a bulk operation, in the order in which the keys were given.
///
/// Each is what the single operation would have returned, and one that failed harms no other. It is a slice, and iterates by
/// value; [`all`](Self::all) is for callers to whom one failure is a failure of the whole.
///
/// # Examples
///
/// ```
/// use larder::prelude::*;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let ages = Cache::new(Memory::<str, u32>::new(1_000));
/// ages.insert_many([("ada", 36), ("bob", 41)]).await.all()?;
///
/// for (name, age) in ["ada", "eve"].iter().zip(ages.get_many(["ada", "eve"]).await) {
///     assert_eq!(age?.is_some(), *name == "ada");
/// }
/// # larder::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "some of the keys may have failed: `.all()?` returns the first error"]
pub struct Results<T, E = Error>(Vec<Result<T, E>>);

impl<T, E> Results<T, E> {
    pub(crate) fn of(results: Vec<Result<T, E>>) -> Self {
        Results(results)
    }

    /// Returns what all keys came to, in their order.
    ///
    /// # Errors
    ///
    /// The error of the first key, in their order, that failed.
    pub fn all(self) -> Result<Vec<T>, E> {
        self.0.into_iter().collect()
    }
}

impl<T, E> Deref for Results<T, E> {
    type Target = [Result<T, E>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T, E> IntoIterator for Results<T, E> {
    type Item = Result<T, E>;
    type IntoIter = std::vec::IntoIter<Result<T, E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T, E> IntoIterator for &'a Results<T, E> {
    type Item = &'a Result<T, E>;
    type IntoIter = std::slice::Iter<'a, Result<T, E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T, E: fmt::Debug> fmt::Debug for Results<T, E> {
    /// Prints how many there are, and the errors. Values may be secret and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<&E> = self.0.iter().filter_map(|result| result.as_ref().err()).collect();
        f.debug_struct("Results").field("keys", &self.0.len()).field("errors", &errors).finish()
    }
}
