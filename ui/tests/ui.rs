//! The commonest mistakes of newcomers, and what the compiler says to them. Each is a file in `tests/cases` with the
//! message beside it. After a change of the messages: `TRYBUILD=overwrite cargo test -p larder-ui`, and read them.
//!
//! A package of its own, because the messages name what the features of the facade bring.
//!
//! A message that proposes code with a closure's type in it changes with the length of the path to this folder,
//! so the untyped `Ok(..)` is in the documentation of `get_or_load` instead.

#[test]
fn mistakes_are_told_with_their_cure() {
    trybuild::TestCases::new().compile_fail("tests/cases/*.rs");
}
