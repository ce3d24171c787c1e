//! Arguments that go into a key, or along with a load.

use crate::Lookup;
use std::borrow::Borrow;

/// What a load can take along from behind a reference. Implemented for every type that fits, so never by hand.
#[diagnostic::on_unimplemented(
    message = "a load cannot take `{Self}` along",
    label = "behind this reference is a `{Self}`, which cannot be cloned",
    note = "a load goes on when its caller has left, so it owns its arguments: implement `Clone` for `{Self}`, or pass an `Arc` of it; or say `scoped`: then the load borrows, and ends with its caller"
)]
pub trait Argument: ToOwned<Owned: Send + 'static> {}

impl<T: ToOwned<Owned: Send + 'static> + ?Sized> Argument for T {}

/// Returns what makes an argument one that a load can take along: a clone, a `String` of a `str`, a `Vec` of a slice.
///
/// The function that is returned has the argument, and this one the bound: to an argument that does not fit, the compiler
/// would propose to borrow it.
///
/// # Examples
///
/// ```
/// use larder_core::function::owned;
///
/// let name: String = owned()("ada");
/// assert_eq!(name, "ada");
/// ```
pub fn owned<T: Argument + ?Sized>() -> fn(&T) -> T::Owned {
    T::to_owned
}

/// What can be a part of a key. Implemented for every type that fits, so never by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a part of the key",
    label = "this argument would be one",
    note = "leave it out of the key with `skip(..)`, or say what the key is: `key = \"user:{{id}}\"`; or derive `Clone`, `PartialEq`, `Eq` and `Hash` for it"
)]
pub trait KeyPart: Lookup {}

impl<T: Lookup + ?Sized> KeyPart for T {}

/// Compiles where `T` can be a part of a key, and says what to do where not.
pub const fn key_part<T: KeyPart + ?Sized>() -> bool {
    true
}

/// The types of a key, once they are checked: `<T as CheckedKey<{ key_part::<T>() }>>::Key`.
///
/// Where the check does not compile, neither does the compiler know this type. So there is one error, at the check, and none
/// at what is done with the type.
pub trait CheckedKey<const CHECKED: bool> {
    /// The type itself, that is looked up by.
    type Key: ?Sized;
    /// The type that is kept.
    type Kept;
}

impl<T: Lookup + ?Sized, const CHECKED: bool> CheckedKey<CHECKED> for T {
    type Key = T;
    type Kept = T::Owned;
}

/// Asks `admit` about a value.
///
/// # Examples
///
/// ```
/// assert!(larder_core::function::admits(&vec![7], |found| !found.is_empty()));
/// ```
pub fn admits<V>(value: &V, admit: impl FnOnce(&V) -> bool) -> bool {
    admit(value)
}

/// Returns the value of `key` among the answers of a batch.
///
/// # Examples
///
/// ```
/// use larder_core::function::only;
///
/// assert_eq!(only([("ada".to_owned(), 36)], "ada"), Some(36));
/// assert_eq!(only::<str, u32>([], "ada"), None);
/// ```
pub fn only<K: Lookup + ?Sized, T>(answers: impl IntoIterator<Item = (K::Owned, T)>, key: &K) -> Option<T> {
    answers.into_iter().find(|(other, _)| other.borrow() == key).map(|(_, answer)| answer)
}
