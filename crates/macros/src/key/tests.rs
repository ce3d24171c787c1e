//! What the derive expands to, and what it says to mistakes that stand together.

use super::derive;
use crate::shown::shown;
use proc_macro2::TokenStream;
use quote::quote;

#[track_caller]
fn check(name: &str, input: TokenStream) {
    shown(name, derive(input));
}

#[test]
fn a_newtype_is_written_as_what_is_in_it() {
    check(
        "key_of_newtype",
        quote!(
            struct UserId(u64);
        ),
    );
}

#[test]
fn a_generic_struct_asks_for_keys_where_it_has_parts() {
    let input = quote! {
        #[key(rename = "page", crate = crate::cache)]
        struct Page<T: Clone, const N: usize> where T: Send {
            tenant: String,
            inner: T,
            same: T,
        }
    };
    check("key_of_generic_struct", input);
}

#[test]
fn an_enum_is_written_with_the_names_of_its_variants() {
    let input = quote! {
        enum Owner {
            Guest,
            #[key(rename = "user")]
            Member(u64),
            Group { id: u64, role: String },
        }
    };
    check("key_of_enum", input);
}

#[test]
fn a_type_with_skipped_fields_is_compared_without_them() {
    let input = quote! {
        struct Report<T, D> {
            id: u64,
            of: Option<T>,
            #[key(skip)]
            asked_by: D,
        }
    };
    check("key_of_struct_with_skipped_field", input);
}

#[test]
fn an_enum_with_skipped_fields_is_compared_without_them() {
    let input = quote! {
        enum Owner {
            Guest,
            Member(u64, #[key(skip)] String),
            Group { id: u64, #[key(skip)] hint: String },
        }
    };
    check("key_of_enum_with_skipped_fields", input);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let input = quote! {
        #[key(rename = "")]
        enum Owner<'a> {
            Member(#[key(rename = "id")] &'a str, #[key(skip, skip)] u64),
            #[key(rename = "Member")]
            Other,
        }
    };
    let errors: Vec<_> = derive(input).unwrap_err().into_iter().map(|error| error.to_string()).collect();

    assert_eq!(
        errors,
        [
            "a name has at least one character",
            "a key owns what it is made of: `String` in place of `&'a str`",
            "fields are not named in a key's text, and can be renamed freely: remove this",
            "`skip` is said twice: remove one",
            "the variant `Member` is called `Member` in a key's text too: give one of them another name, \
             `#[key(rename = \"..\")]`",
        ]
    );
}
