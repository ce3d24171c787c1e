//! What a cache is looked up by, and the text that stands for it in byte stores.
//!
//! In memory a key is hashed and compared as it is. A byte store needs text, and two keys must never have the
//! same one. The encoding keeps what people read plain and marks the rest:
//!
//! | type | text | example |
//! |---|---|---|
//! | integers, `NonZero` of them | decimal digits | `7`, `-7` |
//! | `str`, `String` | as it is; a `'` before one that is empty or begins with a digit or one of `-'~(` | `ada`, `'7` |
//! | `bool` | `~t`, `~f` | |
//! | `char` | `~c` and the character | `~cé` |
//! | `[u8]`, `Vec<u8>` | `~b` and hexadecimal digits | `~b00ff` |
//! | `Uuid` (feature `uuid`) | `~u` and 32 hexadecimal digits | |
//! | `Option` | `~n`; `~s` and the text of what is there | `~s7` |
//! | tuples to 8, `()` | the parts in parentheses, with `%` `,` `(` `)` inside a part as `%25` `%2C` `%28` `%29` | `(eu,7)` |
//!
//! [`KeyParts`] writes the last for types of one's own, and so does `#[derive(Key)]` of the crate `larder`. Integers
//! of different widths share their texts, and a tuple has that of a struct: under one namespace, keep to one key type.
//!
//! # Byte by byte
//!
//! The bytes are the text's UTF-8. What a store is given is the namespace, a colon (`3A`), and the text of the key:
//!
//! | namespace | key | bytes |
//! |---|---|---|
//! | `users` | `"ada"` | `75 73 65 72 73 3A 61 64 61` (`users:ada`) |
//! | `users` | `7_u64` | `75 73 65 72 73 3A 37` (`users:7`) |
//! | `users` | `"7"` | `75 73 65 72 73 3A 27 37` (`users:'7`) |
//! | `a:b` | `true` | `61 25 33 41 62 3A 7E 74` (`a%3Ab:~t`) |
//! | none | `("eu", 7)` | `6C 61 72 64 65 72 3A 28 65 75 2C 37 29` (`larder:(eu,7)`) |
//!
//! - In a namespace `%` is `25 32 35` and `:` is `25 33 41` (`%25`, `%3A`), so its end is the first colon.
//! - A digit is `30` to `39`; a minus sign `2D` stands in front of a negative integer, and neither `+` nor a leading zero
//!   anywhere.
//! - The first byte tells the sort: `30` to `39` or `2D` an integer; `28` (`(`) a tuple; `7E` (`~`) what the byte after it
//!   says: `74` `66` (`t`, `f`) a `bool`, `63` (`c`) a `char`, `62` (`b`) bytes, `75` (`u`) a `Uuid`,
//!   `6E` (`n`) `None`, `73` (`s`) `Some` of the key whose text begins behind it; any other a string, and `27` (`'`) a string
//!   that begins behind it.
//! - Bytes and the `Uuid` are two digits each, the higher half first, `30` to `39` and `61` to `66` (lower case).
//! - A tuple is `28`, its parts with `2C` between them, `29`; `()` is `28 29`. Each part is the text of that key in which `25`, `28`, `29` and
//!   `2C` are written as `25` and two digits (upper case): parts that are tuples are escaped once more at each level.
//!
//! A store that cannot hold such a text hashes or escapes it and says so: `Memcached` beyond 250 bytes, `Object` for what
//! is no name of a file, `Postgres` beyond what an index takes. The envelope repeats the text, or its hash, so that a
//! collision would be a miss.

use crate::KeyParts;
use std::borrow::Cow;
use std::fmt::Write;
use std::hash::Hash;
use std::num::NonZero;
use std::sync::Arc;

/// What a cache can be looked up by: hashed, compared, and owned when it has to be kept.
///
/// Implemented for every type that fits, so never by hand. `str` fits, hence `Cache<str, User>` takes `&str`
/// and keeps `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be looked up by",
    note = "a key type needs `Hash`, `Eq` and `Clone`, and must be `Send + Sync + 'static`: `#[derive(Clone, PartialEq, Eq, Hash)]`"
)]
pub trait Lookup:
    Hash + Eq + Send + Sync + 'static + ToOwned<Owned: Hash + Eq + Clone + Send + Sync + 'static>
{
}

impl<K: ?Sized> Lookup for K where
    K: Hash + Eq + Send + Sync + 'static + ToOwned<Owned: Hash + Eq + Clone + Send + Sync + 'static>
{
}

/// A key that can also be written as text, which stores outside the process need.
///
/// # Contract
///
/// [`text`](Key::text) must be injective: two keys that differ have texts that differ, and equal keys have the
/// same text in every process and release. A borrowed form must have the text of its owned form.
///
/// `#[derive(Key)]` of the crate `larder` keeps it for structs and enums of keys; by hand, [`KeyParts`] does.
///
/// # Examples
///
/// ```
/// use larder_core::Key;
/// use std::borrow::Cow;
///
/// assert_eq!("ada".text(), "ada");
/// assert_ne!(7_u64.text(), "7".text());
/// assert_ne!(("a", "b,c").text(), ("a,b", "c").text());
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct UserId(u64);
///
/// impl Key for UserId {
///     fn text(&self) -> Cow<'_, str> {
///         Cow::Owned(self.0.to_string())
///     }
/// }
/// assert_eq!((UserId(7), "en").text(), "(7,en)");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as a key of a byte store",
    note = "`#[derive(larder::Key)]` makes a key of a type whose fields are keys; memory levels need only `Hash + Eq + Clone`"
)]
pub trait Key: Lookup {
    /// Returns the text that stands for this key, of any length and any characters.
    fn text(&self) -> Cow<'_, str>;
}

impl Key for str {
    fn text(&self) -> Cow<'_, str> {
        match self.as_bytes().first() {
            Some(first) if !first.is_ascii_digit() && !b"-'~(".contains(first) => Cow::Borrowed(self),
            _ => Cow::Owned(format!("'{self}")),
        }
    }
}

macro_rules! text_like_str {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn text(&self) -> Cow<'_, str> {
                (**self).text()
            }
        }
    )*};
}
text_like_str!(String, &'static str, Arc<str>, Box<str>);

macro_rules! text_of_integers {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn text(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }
    )*};
}
text_of_integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
text_of_integers!(NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>);
text_of_integers!(NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>);

impl Key for bool {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(if *self { "~t" } else { "~f" })
    }
}

impl Key for char {
    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(format!("~c{self}"))
    }
}

impl Key for [u8] {
    fn text(&self) -> Cow<'_, str> {
        let mut text = String::with_capacity(2 + 2 * self.len());
        text.push_str("~b");
        for byte in self {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Cow::Owned(text)
    }
}

impl Key for Vec<u8> {
    fn text(&self) -> Cow<'_, str> {
        self.as_slice().text()
    }
}

#[cfg(feature = "uuid")]
impl Key for uuid::Uuid {
    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(format!("~u{}", self.simple()))
    }
}

impl<K: Key + Clone> Key for Option<K> {
    fn text(&self) -> Cow<'_, str> {
        match self {
            None => Cow::Borrowed("~n"),
            Some(key) => Cow::Owned(format!("~s{}", key.text())),
        }
    }
}

impl Key for () {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed("()")
    }
}

macro_rules! text_of_tuples {
    ($($part:ident)+) => {
        impl<$($part: Key + Clone),+> Key for ($($part,)+) {
            #[allow(non_snake_case, reason = "the type parameters name the parts")]
            fn text(&self) -> Cow<'_, str> {
                let ($($part,)+) = self;
                KeyParts::new()$(.part($part))+.text()
            }
        }
    };
}
text_of_tuples!(A);
text_of_tuples!(A B);
text_of_tuples!(A B C);
text_of_tuples!(A B C D);
text_of_tuples!(A B C D E);
text_of_tuples!(A B C D E F);
text_of_tuples!(A B C D E F G);
text_of_tuples!(A B C D E F G H);

/// Appends `text` with every character of `special` (ASCII, with `%` among them) as `%` and two digits.
pub(crate) fn escape(text: &str, special: &str, out: &mut String) {
    for character in text.chars() {
        if special.contains(character) {
            let _ = write!(out, "%{:02X}", u32::from(character));
        } else {
            out.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Every text of the table above, and pairs that careless encodings confuse.
    #[test]
    fn texts_are_plain_where_they_can_be_and_never_collide() {
        let texts = [
            ("7", 7_u64.text()),
            ("-7", (-7_i64).text()),
            ("ada", "ada".text()),
            ("'7", "7".text()),
            ("'", "".text()),
            ("''", "'".text()),
            ("'-7", "-7".text()),
            ("'~t", "~t".text()),
            ("'(a,b)", "(a,b)".text()),
            ("~t", true.text()),
            ("~cé", 'é'.text()),
            ("~b00ff", [0_u8, 255][..].text()),
            ("~b", [0_u8; 0][..].text()),
            ("(a,b%2Cc)", ("a", "b,c").text()),
            ("(a%2Cb,c)", ("a,b", "c").text()),
            ("(a,b,c)", ("a", "b", "c").text()),
            ("(a)", ("a",).text()),
            ("(7,'7)", (7, "7").text()),
            ("(%28a%2Cb%29,c)", (("a", "b"), "c").text()),
            ("(a,%28b%2Cc%29)", ("a", ("b", "c")).text()),
            ("(a,%2528)", ("a", "%28").text()),
            ("()", ().text()),
            ("(%28%29)", ((),).text()),
            ("'()", "()".text()),
            ("~n", None::<u64>.text()),
            ("~s7", Some(7_u64).text()),
            ("~s'7", Some("7").text()),
            ("~s~n", Some(None::<u64>).text()),
            ("~s~s7", Some(Some(7_u64)).text()),
            ("~s()", Some(()).text()),
            ("'~n", "~n".text()),
            ("~s'~n", Some("~n").text()),
            ("(~s7,~n)", (Some(7), None::<u64>).text()),
            ("~s(7)", Some((7,)).text()),
            ("(~s%287%29)", (Some((7,)),).text()),
        ];
        let mut seen = HashMap::new();
        for (number, (expected, text)) in texts.iter().enumerate() {
            assert_eq!(text, expected);
            assert_eq!(seen.insert(text.to_string(), number), None, "{text} stands for two keys");
        }
    }

    /// The bytes in the module's documentation.
    #[test]
    fn the_bytes_of_keys_are_those_that_are_documented() {
        let full = |namespace: &str, text: &str| {
            let mut full = String::new();
            escape(namespace, "%:", &mut full);
            full + ":" + text
        };
        let hex = |text: String| text.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ");
        let documented = include_str!("key.rs");
        for (namespace, shown, text) in [
            ("users", "`users:ada`", "ada".text()),
            ("users", "`users:7`", 7_u64.text()),
            ("users", "`users:'7`", "7".text()),
            ("a:b", "`a%3Ab:~t`", true.text()),
            ("larder", "`larder:(eu,7)`", ("eu", 7).text()),
        ] {
            let full = full(namespace, &text);
            assert_eq!(shown, format!("`{full}`"));
            assert!(documented.contains(&format!("| `{}` ({shown}) |", hex(full))), "{shown}");
        }
    }

    #[test]
    fn an_integer_that_is_not_zero_has_the_text_of_the_integer() {
        assert_eq!(NonZero::new(7_u8).text(), Some(7_u64).text());
        assert_eq!(NonZero::<u128>::MAX.text(), u128::MAX.text());
        assert_eq!(NonZero::<isize>::MIN.text(), isize::MIN.text());
    }

    #[test]
    fn a_borrowed_key_has_the_text_of_the_owned_one() {
        assert_eq!("7".text(), String::from("7").text());
        assert_eq!([1_u8, 2][..].text(), vec![1_u8, 2].text());
    }

    #[cfg(feature = "uuid")]
    #[test]
    fn a_uuid_is_no_text_of_the_same_digits() {
        let id = uuid::Uuid::from_u128(0xA0B0_0000_0000_0000_0000_0000_0000_0001);
        assert_eq!(id.text(), "~ua0b00000000000000000000000000001");
        assert_ne!(id.text(), id.simple().to_string().text());
    }
}
