//! `#[derive(Key)]`: the text of every shape, that no two keys share one, and that a text says what equality compares.

#![cfg(all(feature = "macros", feature = "object", feature = "json"))]

use larder::Key;
use larder::prelude::*;
use proptest::prelude::*;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZero;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
struct UserId(u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
struct Slug {
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
struct Page {
    tenant: String,
    no: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Range(i64, Option<i64>);

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Settings;

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Braces {}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(rename = "user")]
struct NamedId(u64);

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(rename = "a,b")]
struct NamedPage {
    tenant: String,
    no: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(rename = "settings")]
struct NamedSettings;

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Of<T> {
    tenant: String,
    inner: T,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Nine(u8, u8, u8, u8, u8, u8, u8, u8, u8);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
enum Owner {
    Guest,
    #[key(rename = "user")]
    Member(UserId),
    Group {
        id: u64,
        role: String,
    },
    Empty(),
    r#Type(NonZero<u8>),
    #[key(rename = "7")]
    Seven,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(rename = "owner")]
enum NamedOwner {
    Guest,
    Member(u64),
}

fn text(key: &(impl Key + Clone)) -> String {
    key.text().into_owned()
}

/// What the text of each shape is. What is stored is found by it: a change of one loses what caches hold.
#[test]
fn the_text_of_each_shape_is_the_one_that_was_promised() {
    let texts = [
        (text(&UserId(7)), "7"),
        (text(&Slug { text: "7".into() }), "'7"),
        (text(&Page { tenant: "acme".into(), no: 3 }), "(acme,3)"),
        (text(&Page { tenant: "a,b".into(), no: 3 }), "(a%2Cb,3)"),
        (text(&Range(-1, None)), "(-1,~n)"),
        (text(&Range(-1, Some(2))), "(-1,~s2)"),
        (text(&Settings), "()"),
        (text(&Braces {}), "()"),
        (text(&NamedId(7)), "(user,7)"),
        (text(&NamedPage { tenant: "acme".into(), no: 3 }), "(a%2Cb,acme,3)"),
        (text(&NamedSettings), "(settings)"),
        (text(&Of { tenant: "acme".into(), inner: UserId(7) }), "(acme,7)"),
        (text(&Of { tenant: "acme".into(), inner: ("a", 1) }), "(acme,%28a%2C1%29)"),
        (text(&Nine(1, 2, 3, 4, 5, 6, 7, 8, 9)), "(1,2,3,4,5,6,7,8,9)"),
        (text(&Owner::Guest), "(Guest)"),
        (text(&Owner::Member(UserId(7))), "(user,7)"),
        (text(&Owner::Group { id: 7, role: "(%)".into() }), "(Group,7,'%28%25%29)"),
        (text(&Owner::Empty()), "(Empty)"),
        (text(&Owner::r#Type(NonZero::<u8>::MAX)), "(Type,255)"),
        (text(&Owner::Seven), "('7)"),
        (text(&NamedOwner::Guest), "(owner,Guest)"),
        (text(&NamedOwner::Member(7)), "(owner,Member,7)"),
    ];

    for (text, promised) in texts {
        assert_eq!(text, promised);
    }
}

#[test]
fn a_struct_with_one_field_borrows_its_text() {
    assert!(matches!(Slug { text: "ada".into() }.text(), std::borrow::Cow::Borrowed("ada")));
}

/// Structs in enums in structs, with texts of what means something in texts of keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
struct Deep {
    first: Part,
    name: Slug,
    last: Option<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
enum Part {
    A,
    #[key(rename = "(A)")]
    B(String),
    #[key(rename = "~n")]
    C(String, String),
    D {
        text: Option<Slug>,
        page: (Page, ()),
    },
    E(Owner),
}

/// Texts of few characters, so that careless texts of keys would soon be the same.
fn special() -> impl Strategy<Value = String> {
    prop_oneof!["[A,]{0,3}", "[%2C,]{0,3}", "[(,)A]{0,3}", "['~n7]{0,3}"]
}

fn parts() -> impl Strategy<Value = Part> {
    let page = (special(), 0..2_u32).prop_map(|(tenant, no)| Page { tenant, no });
    let text = prop::option::of(special().prop_map(|text| Slug { text }));
    let owner = prop_oneof![
        Just(Owner::Guest),
        Just(Owner::Seven),
        (0..2_u64).prop_map(|id| Owner::Member(UserId(id))),
        (0..2_u64, special()).prop_map(|(id, role)| Owner::Group { id, role }),
    ];
    prop_oneof![
        Just(Part::A),
        special().prop_map(Part::B),
        (special(), special()).prop_map(|(one, other)| Part::C(one, other)),
        (text, page).prop_map(|(text, page)| Part::D { text, page: (page, ()) }),
        owner.prop_map(Part::E),
    ]
}

fn keys() -> impl Strategy<Value = Deep> {
    (parts(), special(), prop::option::of(parts())).prop_map(|(first, text, last)| Deep {
        first,
        name: Slug { text },
        last,
    })
}

fn check_pairs<K: Key + Clone + std::fmt::Debug>(keys: &[K]) -> Result<(), TestCaseError> {
    let texts: Vec<_> = keys.iter().map(Key::text).collect();
    for (one, text) in keys.iter().zip(&texts) {
        for (other, its_text) in keys.iter().zip(&texts) {
            prop_assert_eq!(one == other, text == its_text, "{:?} and {:?}: {}", one, other, text);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keys_have_one_text_if_and_only_if_they_are_equal(keys in prop::collection::vec(keys(), 60)) {
        check_pairs(&keys)?;
    }

    #[test]
    fn parts_have_one_text_if_and_only_if_they_are_equal(parts in prop::collection::vec(parts(), 200)) {
        check_pairs(&parts)?;
    }

    #[test]
    fn what_is_skipped_is_neither_in_the_text_nor_in_equality_nor_in_the_hash(
        one in (reports(), requests()),
        other in (reports(), requests()),
    ) {
        let hasher = RandomState::new();
        let is_one_text = one.0.text() == other.0.text();
        prop_assert_eq!(one.0 == other.0, is_one_text);
        prop_assert_eq!(hasher.hash_one(&one.0) == hasher.hash_one(&other.0), is_one_text);
        let is_one_text = one.1.text() == other.1.text();
        prop_assert_eq!(one.1 == other.1, is_one_text);
        prop_assert_eq!(hasher.hash_one(&one.1) == hasher.hash_one(&other.1), is_one_text);
    }
}

/// Neither compared nor a key.
#[derive(Clone, Debug)]
struct Opaque;

#[derive(Clone, Debug, Key)]
#[allow(dead_code, reason = "what is skipped needs only be there")]
struct Report<T, D> {
    id: u64,
    of: Option<T>,
    #[key(skip)]
    asked_by: D,
}

#[derive(Clone, Debug, Key)]
#[allow(dead_code, reason = "what is skipped needs only be there")]
enum Request {
    Ping,
    Read(u64, #[key(skip)] f64),
    Find {
        #[key(skip)]
        hint: Opaque,
        text: String,
    },
    Forget(#[key(skip)] f64),
}

fn reports() -> impl Strategy<Value = Report<String, f64>> {
    (0..2_u64, prop::option::of("[ab]"), any::<f64>()).prop_map(|(id, of, asked_by)| Report {
        id,
        of,
        asked_by,
    })
}

fn requests() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Ping),
        (0..2_u64, any::<f64>()).prop_map(|(id, hint)| Request::Read(id, hint)),
        "[ab]".prop_map(|text| Request::Find { hint: Opaque, text }),
        any::<f64>().prop_map(Request::Forget),
    ]
}

#[test]
fn the_text_of_a_type_with_skipped_fields_has_the_others() {
    let report = Report { id: 7, of: Some(UserId(1)), asked_by: Opaque };
    assert_eq!(report.text(), "(7,~s1)");
    assert_eq!(Request::Read(7, 0.5).text(), "(Read,7)");
    assert_eq!(Request::Find { hint: Opaque, text: "ada".into() }.text(), "(Find,ada)");
    assert_eq!(Request::Forget(0.5).text(), "(Forget)");
    assert!(Request::Read(7, f64::NAN) == Request::Read(7, 0.5));
}

#[test]
fn a_generic_key_asks_for_a_key_that_can_be_cloned() {
    fn of_acme<T: Key + Clone>(inner: T) -> String {
        text(&Of { tenant: "acme".into(), inner })
    }

    assert_eq!(of_acme(7), "(acme,7)");
    assert_eq!(of_acme("7"), "(acme,'7)");
}

trait Table {
    type Id;
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Users;

impl Table for Users {
    type Id = UserId;
}

/// The parameter is no key; what it says the field is, is one.
#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Row<T: Table> {
    no: u8,
    id: T::Id,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Digits<const N: usize>(Vec<u8>);

#[test]
fn a_field_may_be_of_what_a_parameter_brings() {
    assert_eq!(Row::<Users> { no: 1, id: UserId(7) }.text(), "(1,7)");
    assert_eq!(Digits::<2>(vec![1, 2]).text(), "~b0102");
}

/// Names that an expansion could take for its own, and a type made by a macro.
#[test]
fn the_expansion_is_confused_by_no_name_of_ours() {
    macro_rules! key {
        ($name:ident, $($field:ident: $type:ty),*) => {
            #[derive(Clone, Key)]
            #[allow(dead_code, reason = "what is skipped needs only be there")]
            struct $name<__H> { $($field: $type,)* of: __H, #[key(skip)] skipped: __H }
        };
    }
    key!(Confusing, state: u8, other: u8, part_0: String, text: Option<u8>);
    #[allow(dead_code, reason = "only its name matters")]
    enum Cow {}
    #[allow(dead_code, reason = "only its name matters")]
    struct KeyParts;

    let key = |skipped| Confusing { state: 1, other: 2, part_0: "ada".into(), text: Some(3), of: 4, skipped };
    assert_eq!(key(5).text(), "(1,2,ada,~s3,4)");
    assert!(key(5) == key(6));
}

mod elsewhere {
    pub(crate) mod cache {
        pub(crate) use larder::{Key, KeyParts, Lookup};
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(crate = crate::elsewhere::cache)]
struct Renamed<T>(T, u8);

#[test]
fn the_crate_may_have_another_name() {
    assert_eq!(Renamed(1, 2).text(), "(1,2)");
}

#[tokio::test]
async fn derived_keys_are_looked_up_in_bytes_behind_memory() -> Result<(), Box<dyn std::error::Error>> {
    let store = Object::in_memory();
    let names = || {
        Cache::new(Memory::<(Owner, Page), String>::new(100))
            .chain(Cache::new(store.clone()).codec(Json).namespace("names"))
    };
    let key = |owner, no| (owner, Page { tenant: "acme".into(), no });
    let here = names();
    here.insert(&key(Owner::Guest, 1), "one".into()).await?;
    here.insert(&key(Owner::Member(UserId(1)), 1), "two".into()).await?;

    // Another process: nothing is in its memory.
    let there = names();
    assert_eq!(there.get(&key(Owner::Guest, 1)).await?, Some("one".into()));
    assert_eq!(there.get(&key(Owner::Member(UserId(1)), 1)).await?, Some("two".into()));
    assert_eq!(there.get(&key(Owner::Guest, 2)).await?, None);
    Ok(())
}

#[tokio::test]
async fn keys_that_differ_in_what_is_skipped_are_one_in_every_level() -> Result<(), Box<dyn std::error::Error>>
{
    let store = Object::in_memory();
    let names = Cache::new(Memory::<Report<UserId, u8>, u32>::new(100))
        .chain(Cache::new(store.clone()).codec(Json).namespace("names"));
    let report = |asked_by| Report { id: 7, of: Some(UserId(1)), asked_by };
    names.insert(&report(1), 36).await?;

    assert_eq!(names.get(&report(2)).await?, Some(36));
    let bytes = Cache::new(store).codec(Json).namespace("names");
    assert_eq!(bytes.get(&report(3)).await?, Some(36_u32));
    names.remove(&report(4)).await?;
    assert_eq!(bytes.get(&report(1)).await?, None);
    Ok(())
}

#[tokio::test]
async fn types_with_names_share_a_namespace() -> Result<(), Box<dyn std::error::Error>> {
    #[derive(Clone, PartialEq, Eq, Hash, Key)]
    #[key(rename = "order")]
    struct OrderId(u64);

    let store = Object::in_memory();
    let users = Cache::new(store.clone()).codec(Json).namespace("shop");
    let orders = Cache::new(store).codec(Json).namespace("shop");
    users.insert(&NamedId(7), 36).await?;
    orders.insert(&OrderId(7), 49).await?;

    assert_eq!(users.get(&NamedId(7)).await?, Some(36));
    assert_eq!(orders.get(&OrderId(7)).await?, Some(49));
    Ok(())
}
