//! The text of a key that is made of several others.

use crate::Key;
use crate::key::escape;
use std::borrow::Cow;

/// Writes the text of a key that is made of several others, as a tuple of them has it.
///
/// For types that implement [`Key`] by hand: two keys with the same parts have the same text, any others have two.
/// `#[derive(Key)]` is made of it, and so are tuples. A name in front of the parts keeps apart what would look alike,
/// such as the variants of an enum, or types that share a namespace.
///
/// No text of larder's own is empty. Where the number of parts varies, a part with an empty text, as a key of
/// one's own may have, would be taken for none.
///
/// # Examples
///
/// ```
/// use larder_core::{Key, KeyParts};
/// use std::borrow::Cow;
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// enum Owner {
///     User(u64),
///     Group(u64, String),
/// }
///
/// impl Key for Owner {
///     fn text(&self) -> Cow<'_, str> {
///         match self {
///             Owner::User(id) => KeyParts::new().part("user").part(id).text(),
///             Owner::Group(id, role) => KeyParts::new().part("group").part(id).part(role).text(),
///         }
///     }
/// }
/// assert_eq!(Owner::User(7).text(), "(user,7)");
/// assert_eq!(Owner::Group(7, "a,b".into()).text(), "(group,7,a%2Cb)");
/// assert_eq!(Owner::User(7).text(), ("user", 7).text());
/// ```
#[derive(Clone)]
#[must_use = "parts are a key's text only when `text` is called"]
pub struct KeyParts {
    /// A parenthesis, and a comma after each part.
    text: String,
}

impl KeyParts {
    /// Begins a text without parts.
    pub fn new() -> Self {
        KeyParts { text: String::from("(") }
    }

    /// Adds the text of `key`, in which `%` `,` `(` `)` are escaped.
    pub fn part<K: ?Sized + Key>(mut self, key: &K) -> Self {
        escape(&key.text(), "%,()", &mut self.text);
        self.text.push(',');
        self
    }

    /// Returns the text: the parts in parentheses, with commas between them.
    pub fn text(mut self) -> Cow<'static, str> {
        if self.text.ends_with(',') {
            self.text.pop();
        }
        self.text.push(')');
        Cow::Owned(self.text)
    }
}

impl Default for KeyParts {
    fn default() -> Self {
        KeyParts::new()
    }
}

/// Keys are not printed.
impl std::fmt::Debug for KeyParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyParts").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_the_text_of_the_tuple_of_them() {
        assert_eq!(KeyParts::new().text(), ().text());
        assert_eq!(KeyParts::new().part("").text(), ("",).text());
        assert_eq!(KeyParts::new().part(",").part(&(1, "%")).text(), (",", (1, "%")).text());
    }

    #[test]
    fn more_parts_than_a_tuple_has_are_told_apart() {
        let twelve = (0..12).fold(KeyParts::new(), |parts, number| parts.part(&number));

        assert_eq!(twelve.text(), "(0,1,2,3,4,5,6,7,8,9,10,11)");
    }

    #[test]
    fn printing_parts_shows_no_key() {
        let printed = format!("{:?}", KeyParts::new().part("secret"));

        assert_eq!(printed, "KeyParts { .. }");
    }
}
