//! No two keys have one text: every text can be read back, by a reader that knows the table of texts and nothing else.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod any_key;
    pub(crate) mod key_text;
}

use larder_core::Key;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;
use support::any_key::{AnyKey, full_key};
use support::key_text::{Meaning, read, read_full};

/// Texts of any characters, and short ones of those that mean something in texts of keys.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[-'~(),%:0-9a2Cbcfnstu]{0,8}"]
}

fn keys() -> impl Strategy<Value = AnyKey> {
    let one = prop_oneof![
        2 => (0..AnyKey::INTEGERS, any::<u128>()).prop_map(|(sort, bits)| AnyKey::integer(sort, bits)),
        1 => (0..AnyKey::INTEGERS, 0..12_u128).prop_map(|(sort, bits)| AnyKey::integer(sort, bits)),
        4 => (0..3_usize, texts()).prop_map(|(sort, text)| AnyKey::text_of(sort, text)),
        1 => any::<bool>().prop_map(AnyKey::Flag),
        1 => prop_oneof![any::<char>(), prop::sample::select(vec!['%', ',', '(', ')', ':', '~', '\''])]
            .prop_map(AnyKey::Letter),
        1 => vec(any::<u8>(), 0..20).prop_map(AnyKey::Bytes),
        1 => ids(),
    ];
    one.prop_recursive(3, 24, 8, |part| {
        prop_oneof![
            1 => prop::option::of(part.clone()).prop_map(|key| AnyKey::Maybe(Box::new(key))),
            2 => vec(part, 0..=8).prop_map(AnyKey::tuple),
        ]
    })
}

#[cfg(feature = "uuid")]
fn ids() -> impl Strategy<Value = AnyKey> {
    any::<u128>().prop_map(|id| AnyKey::Uuid(uuid::Uuid::from_u128(id)))
}

#[cfg(not(feature = "uuid"))]
fn ids() -> impl Strategy<Value = AnyKey> {
    any::<bool>().prop_map(AnyKey::Flag)
}

proptest! {
    // Shrunk cases are not kept in a file: the fuzzer keeps its own.
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_is_read_back_as_the_key_it_stands_for(key in keys()) {
        prop_assert_eq!(read(&key.text()), Some(key.meaning()), "`{}`", key.text());
    }

    #[test]
    fn two_texts_are_the_same_for_keys_that_mean_the_same(one in keys(), other in keys()) {
        prop_assert_eq!(one.text() == other.text(), one.meaning() == other.meaning());
    }

    #[test]
    fn texts_of_texts_are_read_back(text in texts(), other in texts()) {
        let meant = [&text, &other].map(|text| Meaning::Text(text.clone()));
        prop_assert_eq!(read(&text.text()), Some(meant[0].clone()));
        // The text of a key is a text as well, and as a key it is another one.
        prop_assert_eq!(read(&text.text().into_owned().text()), Some(Meaning::Text(text.text().into_owned())));
        prop_assert_eq!(read(&(text, other).text()), Some(Meaning::Tuple(meant.into())));
    }

    #[test]
    fn a_borrowed_form_has_the_text_of_its_owned_form(text in texts(), bytes in vec(any::<u8>(), 0..40)) {
        let shared: Arc<str> = text.as_str().into();
        let boxed: Box<str> = text.as_str().into();
        for form in [text.text(), shared.text(), boxed.text()] {
            prop_assert_eq!(form, text.as_str().text());
        }
        prop_assert_eq!(bytes.text(), bytes.as_slice().text());
    }

    #[test]
    fn keys_under_two_namespaces_are_two_in_a_store(
        one in (texts(), keys()),
        other in (texts(), keys()),
    ) {
        for (namespace, key) in [&one, &other] {
            let full = full_key(namespace, key);
            prop_assert_eq!(read_full(&full), Some((namespace.clone(), key.meaning())), "`{}`", full);
        }
        prop_assert_eq!(full_key(&one.0, &one.1) == full_key(&other.0, &one.1), one.0 == other.0);
    }
}

#[test]
fn a_static_text_has_the_text_of_an_owned_one() {
    for text in ["ada", "", "7", "-7", "'7", "~t", "(a,b)", "é"] {
        let fixed: &&'static str = &text;
        assert_eq!(Key::text(fixed), text.to_owned().text());
    }
}

/// A reader that reads anything would prove nothing.
#[test]
fn what_no_key_has_is_not_read() {
    let texts = [
        "", "-", "07", "-07", "-0", "7a", "'ada", "~", "~x", "~tt", "~c", "~cab", "~b0", "~bFF", "~b0g",
        "~u00", "~nn", "~n7", "~s", "~s07", "~s~", "(", "(,)", "(a", "(a))", "(a,)", "((a),b)", "(a%2c)",
        "(a%41)", "(a%2)", "(a%)", "(a%é)", "(07)",
    ];
    for text in texts {
        assert_eq!(read(text), None, "{text}");
    }
    for full in ["ada", "a%3ab:ada", "a%2Cb:ada", "users:"] {
        assert_eq!(read_full(full), None, "{full}");
    }
}
