//! What a function returns.

use std::marker::PhantomData;

/// A `Result`, also behind an alias such as `std::io::Result<T>`. A cached function that returns one keeps its values, and
/// not its errors.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called `Result` and is none",
    note = "a cached function keeps the values of what is called `Result`, and not its errors: give this type another name"
)]
pub trait Fallible {
    /// The type of the values.
    type Value;
    /// The type of the errors.
    type Error;
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;
    type Error = E;
}

/// What a cached function can return. Implemented for every type that fits, so never by hand.
#[diagnostic::on_unimplemented(
    message = "a cache cannot keep `{Self}`",
    label = "this would be kept",
    note = "each caller is given a clone, on any thread: derive `Clone` for `{Self}`, or return an `Arc` of it, which must be `Send + Sync + 'static`"
)]
pub trait Kept: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Kept for T {}

/// Compiles where a cache can keep a `T`, and says what to do where not.
pub const fn kept<T: Kept>() -> bool {
    true
}

/// The type of a value, once it is checked: `<T as CheckedValue<{ kept::<T>() }>>::Value`. See [`CheckedKey`](super::CheckedKey).
pub trait CheckedValue<const CHECKED: bool> {
    /// The type itself.
    type Value;
}

impl<T, const CHECKED: bool> CheckedValue<CHECKED> for T {
    type Value = T;
}

/// Tells whether a type is a `Result` under another name: `Returns::<T>::RESULT`, with [`NoResult`] in scope.
///
/// # Examples
///
/// ```
/// use larder_core::function::{NoResult as _, Returns};
///
/// type Answer = Result<u32, String>;
/// assert!(Returns::<Answer>::RESULT);
/// assert!(!Returns::<u32>::RESULT);
/// ```
#[derive(Debug)]
pub struct Returns<T>(PhantomData<fn() -> T>);

impl<T, E> Returns<Result<T, E>> {
    /// It is one.
    pub const RESULT: bool = true;
}

/// What [`Returns`] says of all other types.
pub trait NoResult {
    /// It is none.
    const RESULT: bool = false;
}

impl<T> NoResult for Returns<T> {}
