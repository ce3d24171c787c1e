//! The attributes and derives of the crate `larder`, which re-exports and documents them.

mod cached;
mod invalidates;
mod key;
mod list;
mod period;
mod receiver;
mod refused;
mod scheduled;
mod signature;
mod template;

use proc_macro::TokenStream;

/// Keeps the results of a function.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    cached::expand(options.into(), &item).unwrap_or_else(|error| refused::with_item(error, &item)).into()
}

/// Removes results of cached functions after a function has succeeded.
#[proc_macro_attribute]
pub fn invalidates(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    invalidates::expand(options.into(), &item).unwrap_or_else(|error| refused::with_item(error, &item)).into()
}

/// Runs a function again and again in the background.
#[proc_macro_attribute]
pub fn scheduled(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    scheduled::expand(options.into(), &item).unwrap_or_else(|error| refused::with_item(error, &item)).into()
}

/// Implements the trait `Key`: the type can be a key of caches over bytes.
///
/// Its text is made of the texts of its fields, as the trait documents them, and no two keys share one:
///
/// | shape | text | example |
/// |---|---|---|
/// | struct with one field, named or not | that of the field | `UserId(7)`: `7` |
/// | struct with several fields | those of the fields, as a tuple's | `Page { tenant: "acme", no: 3 }`: `(acme,3)` |
/// | struct without fields | that of `()` | `()` |
/// | variant of an enum | its name, and those of its fields, as a tuple's | `Owner::User(7)`: `(User,7)`; `Owner::Guest`: `(Guest)` |
///
/// Every field must be a key itself. What else a key needs is derived beside this:
/// `#[derive(Clone, PartialEq, Eq, Hash)]`. With these the text says what equality compares; a type with an equality of
/// its own implements the trait by hand.
///
/// The order of fields is a part of the text, and so are the names of variants, the names of fields are not. Whoever
/// changes what is a part of it leaves what is stored behind: keys of another text are misses.
///
/// # Options
///
/// - `#[key(rename = "v1")]` on a variant: its name in the text, which stays when the code gives it another.
/// - `#[key(rename = "user")]` on a type: a name in front of all else, `(user,7)`. Two types that share a namespace
///   each have a name, or `UserId(7)` and `OrderId(7)` are one key there.
/// - `#[key(skip)]` on a field: it is no part of the key, and may be of any type that is `Clone + Send + Sync`. As
///   texts and equality must agree, `PartialEq`, `Eq` and `Hash` are implemented too, without the field; remove them
///   from `#[derive(..)]`, or there are "conflicting implementations".
/// - `#[key(crate = path)]` on a type: where the crate `larder` is, if it has another name.
///
/// A generic type is a key where its fields are: `Of<T>` with a field of type `T` is one for `T: Key + Clone`.
///
/// # Examples
///
/// ```
/// use larder::Key;
///
/// #[derive(Clone, PartialEq, Eq, Hash, Key)]
/// struct UserId(u64);
///
/// #[derive(Clone, PartialEq, Eq, Hash, Key)]
/// struct Page {
///     tenant: String,
///     owner: Owner,
/// }
///
/// #[derive(Clone, PartialEq, Eq, Hash, Key)]
/// enum Owner {
///     Guest,
///     #[key(rename = "user")]
///     Member(UserId),
/// }
///
/// assert_eq!(UserId(7).text(), "7");
/// assert_eq!(Owner::Guest.text(), "(Guest)");
/// assert_eq!(Owner::Member(UserId(7)).text(), "(user,7)");
/// assert_eq!(Page { tenant: "acme".into(), owner: Owner::Guest }.text(), "(acme,%28Guest%29)");
///
/// #[derive(Clone, Key)]
/// struct Report {
///     id: u64,
///     #[key(skip)]
///     asked_by: UserId,
/// }
///
/// let [one, other] = [1, 2].map(|user| Report { id: 7, asked_by: UserId(user) });
/// assert_eq!(one.text(), "7");
/// assert!(one == other);
/// ```
#[proc_macro_derive(Key, attributes(key))]
pub fn derive_key(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    key::derive(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
