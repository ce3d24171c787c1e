//! What may be told of a value that does not fit its type.
//!
//! Serde's messages quote the value (`invalid type: string "hunter2", expected u64`), and errors of a cache
//! are printed. A missing field is an exception: the message has only its name, which is the program's own,
//! and it is what a deploy most often runs into. So are the messages of this crate.

/// Said of a value that goes deeper than the decoders do.
pub(crate) const TOO_DEEP: &str = "nested deeper than 128 levels";

/// Said of sequences whose elements take no bytes and are too many.
pub(crate) const TOO_MANY: &str = "more elements than there are bytes";

/// Said of a struct that is written without one of its fields.
pub(crate) const LEFT_OUT: &str =
    "a field is left out (skip_serializing_if), and those after it have no names";

pub(crate) fn unless_safe(message: &str) -> &str {
    if message.starts_with("missing field `") || [TOO_DEEP, TOO_MANY, LEFT_OUT].contains(&message) {
        message
    } else {
        "the value does not fit its type, or its own serde code failed; the details may show it and are withheld"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_field_and_the_bounds_are_told() {
        assert_eq!(unless_safe("missing field `name`"), "missing field `name`");
        assert_eq!(unless_safe(TOO_DEEP), TOO_DEEP);
        assert!(!unless_safe("invalid type: string \"hunter2\", expected u64").contains("hunter2"));
        assert!(!unless_safe("unknown variant `hunter2`").contains("hunter2"));
    }
}
