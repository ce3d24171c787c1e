//! The commonest mistakes of newcomers, and what the compiler says to them. Each is a file in `tests/ui` with the
//! message beside it. After a change of the messages: `TRYBUILD=overwrite cargo test --test ui`, and read them.
//!
//! A message that proposes code with a closure's type in it changes with the length of the path to this folder,
//! so the untyped `Ok(..)` is in the documentation of `get_or_load` instead.

#[test]
#[cfg(all(feature = "memory", feature = "object", feature = "json"))]
fn mistakes_are_told_with_their_cure() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
