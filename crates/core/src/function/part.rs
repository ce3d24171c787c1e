//! Parts of a key that is text.

use crate::key::escape;
use std::fmt::{self, Write};

/// Writes one part of a key that is text, so that it cannot be mistaken for what stands around it: each character of `special`
/// becomes `%` and two digits.
///
/// `special` has `%`, and the first character of each text between two parts, which is ASCII and no `%`. So who reads from the
/// left always knows where a part ends: keys whose parts differ are different texts.
///
/// # Examples
///
/// ```
/// use larder_core::function::Part;
/// use std::fmt::Write;
///
/// let key = |team: &str, user: &str| {
///     let mut key = String::from("user:");
///     write!(Part::new(&mut key, "%:"), "{team}").unwrap();
///     key.push(':');
///     write!(Part::new(&mut key, "%:"), "{user}").unwrap();
///     key
/// };
/// assert_eq!(key("7", "ada"), "user:7:ada");
/// assert_ne!(key("a", "b:c"), key("a:b", "c"));
/// ```
#[derive(Debug)]
pub struct Part<'a> {
    key: &'a mut String,
    special: &'a str,
}

impl<'a> Part<'a> {
    /// Makes a writer of a part at the end of `key`.
    pub fn new(key: &'a mut String, special: &'a str) -> Self {
        Part { key, special }
    }
}

impl Write for Part<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.special, self.key);
        Ok(())
    }
}
