//! Keys of several parts, some of which are borrowed.
//!
//! A cache is looked up by a reference to a whole key, and a tuple of `String`s cannot be made of `&str`s without allocating.
//! So each thread keeps one owned key for each function, and fills in the parts of a call: what was allocated for an
//! earlier call serves again. A miss takes the key along, and the next call begins a new one.

use std::cell::Cell;
use std::fmt;
use std::thread::LocalKey;

/// The key that a thread keeps for the next call of a function: at most one, with the room of the largest since the last miss.
pub struct Scratch<K>(Cell<Option<K>>);

impl<K> Scratch<K> {
    /// Makes an empty one.
    pub const fn new() -> Self {
        Scratch(Cell::new(None))
    }
}

impl<K> Default for Scratch<K> {
    fn default() -> Self {
        Scratch::new()
    }
}

impl<K> fmt::Debug for Scratch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Builds a key in `scratch` and looks with it: returns what there is, or else the key. `fill` sets all of a key that an earlier
/// call has left; without one, `make` makes it.
///
/// # Errors
///
/// The key, if `look` finds nothing.
///
/// # Examples
///
/// ```
/// use larder_core::function::{Scratch, find};
///
/// thread_local! {
///     static KEY: Scratch<(String, u32)> = const { Scratch::new() };
/// }
/// let look_up = |name: &str, page: u32| {
///     find(
///         &KEY,
///         || (name.to_owned(), page),
///         |key| {
///             name.clone_into(&mut key.0);
///             key.1 = page;
///         },
///         |key| (key.0 == "ada").then_some(36),
///     )
/// };
/// assert_eq!(look_up("ada", 1), Ok(36));
/// assert_eq!(look_up("bob", 2), Err(("bob".to_owned(), 2)));
/// ```
#[inline]
pub fn find<K, V>(
    scratch: &'static LocalKey<Scratch<K>>,
    make: impl FnOnce() -> K,
    fill: impl FnOnce(&mut K),
    look: impl FnOnce(&K) -> Option<V>,
) -> Result<V, K> {
    // A thread that ends has none any more, and what `make` or `look` call may come here again: nobody waits for it.
    let kept = if std::mem::needs_drop::<K>() {
        scratch.try_with(|scratch| scratch.0.take()).ok().flatten()
    } else {
        None
    };
    let key = match kept {
        Some(mut key) => {
            fill(&mut key);
            key
        }
        None => make(),
    };
    match look(&key) {
        Some(found) => {
            if std::mem::needs_drop::<K>() {
                let _ = scratch.try_with(|scratch| scratch.0.set(Some(key)));
            }
            Ok(found)
        }
        None => Err(key),
    }
}
