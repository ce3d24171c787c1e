//! A cache whose type of keys nobody has written down.

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;

/// A place for one cache, for a `static` whose type of keys only the compiler knows, because it is that of an expression.
///
/// # Examples
///
/// ```
/// use larder_core::function::Slot;
///
/// static SLOT: Slot = Slot::new();
///
/// /// One place for each function, so one `K`.
/// fn kept<K: Default + Send + Sync + 'static>(_: &K) -> &'static K {
///     SLOT.get_or_init(K::default)
/// }
/// assert_eq!(kept(&7), &0);
/// ```
pub struct Slot(OnceLock<Box<dyn Any + Send + Sync>>);

impl Slot {
    /// Makes an empty one.
    pub const fn new() -> Self {
        Slot(OnceLock::new())
    }

    /// Returns what is in it, and puts there what `make` makes if there is nothing.
    ///
    /// # Panics
    ///
    /// If there is something of another type.
    #[inline]
    pub fn get_or_init<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> &T {
        let kept = self.0.get_or_init(|| Box::new(make()));
        kept.downcast_ref().expect("a slot has the type of what was put there first")
    }
}

impl Default for Slot {
    fn default() -> Self {
        Slot::new()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
