//! What [`Rkyv`] promises; its values are types of their own sort.

#![cfg(feature = "rkyv")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use allocation_counter::measure;
use bytes::Bytes;
use larder_codecs::Rkyv;
use larder_core::{Codec, Error, ErrorKind};
use rkyv::rancor::{self, Fallible, Source};
use rkyv::with::{ArchiveWith, DeserializeWith, Map, SerializeWith, Unshare};
use rkyv::{Archive, Deserialize, Place, Serialize, string::ArchivedString, string::StringResolver};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::error::Error as _;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
#[rkyv(
    serialize_bounds(__S: rkyv::ser::Writer + rkyv::ser::Allocator, __S::Error: Source),
    deserialize_bounds(__D::Error: Source),
    bytecheck(bounds(__C: rkyv::validation::ArchiveContext, __C::Error: Source))
)]
enum Tree {
    Leaf,
    Flag(bool),
    Letter(char),
    Number(f64),
    Text(String),
    Not(#[rkyv(omit_bounds)] Box<Tree>),
    Both(#[rkyv(omit_bounds)] Vec<Tree>),
    Named {
        #[rkyv(omit_bounds)]
        parts: BTreeMap<String, Tree>,
    },
}

/// Nests by options alone.
#[derive(Debug, PartialEq, Archive, Serialize, Deserialize)]
#[rkyv(
    serialize_bounds(__S: rkyv::ser::Writer, __S::Error: Source),
    deserialize_bounds(__D::Error: Source),
    bytecheck(bounds(__C: rkyv::validation::ArchiveContext, __C::Error: Source))
)]
struct Chain(#[rkyv(omit_bounds)] Option<Box<Chain>>);

#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Archive, Serialize, Deserialize)]
struct Sharing {
    #[rkyv(with = Unshare)]
    one: Arc<String>,
    #[rkyv(with = Unshare)]
    two: Rc<u64>,
    #[rkyv(with = Map<Unshare>)]
    many: Vec<Arc<u8>>,
}

fn written<V>(value: &V) -> Bytes
where
    Rkyv: Codec<V>,
{
    let mut out = Vec::new();
    Rkyv.encode(value, &mut out).unwrap();
    out.into()
}

fn read<V>(bytes: impl Into<Bytes>) -> larder_core::Result<V>
where
    Rkyv: Codec<V>,
{
    Rkyv.decode(&bytes.into())
}

#[track_caller]
fn refused<V: Debug>(bytes: impl Into<Bytes>) -> String
where
    Rkyv: Codec<V>,
{
    let error = read::<V>(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
    error.to_string()
}

#[track_caller]
fn survives<V: PartialEq + Debug>(value: &V)
where
    Rkyv: Codec<V>,
{
    assert_eq!(&read::<V>(written(value)).unwrap(), value);
}

fn tree() -> Tree {
    let parts = [("left".into(), Tree::Flag(true)), ("a name of more than eight bytes".into(), Tree::Leaf)];
    Tree::Both(vec![
        Tree::Not(Box::new(Tree::Letter('é'))),
        Tree::Text("Notes \u{1F980}, and more of them".into()),
        Tree::Named { parts: parts.into() },
        Tree::Number(-0.0),
        Tree::Both(vec![]),
    ])
}

/// The bytes, so many behind an address that is divisible by 64.
fn at_offset(offset: usize, bytes: &[u8]) -> Bytes {
    let mut room = vec![0; 64 + offset + bytes.len()];
    let start = room.as_ptr().align_offset(64) + offset;
    room[start..start + bytes.len()].copy_from_slice(bytes);
    Bytes::from(room).slice(start..start + bytes.len())
}

#[test]
fn every_sort_of_value_comes_back() {
    survives(&(i64::MIN, u64::MAX, i128::MIN, u128::MAX, f32::MIN_POSITIVE));
    survives(&(String::new(), "12345678".to_string(), "text \u{0} \u{1F980} \"quoted\"".to_string(), 'é'));
    survives(&tree());
    survives(&Unit);
    survives(&());
    survives(&[0_u64; 0]);
    survives(&vec![Unit; 1000]);
    survives(&vec![vec![0_u8, 255], vec![]]);
    survives(&HashMap::from([("one".to_string(), vec![1]), ("a long name of two".to_string(), vec![])]));
    survives(
        &(0..1000_u32)
            .map(|number| (number, (number % 7 == 0).then_some("x".repeat(9))))
            .collect::<BTreeMap<_, _>>(),
    );
    survives(&BTreeSet::from(["x".to_string(), "y".to_string()]));
    survives(&VecDeque::from([Ok::<u8, String>(1), Err("a text".into())]));
    survives(&Some("text".to_string().into_boxed_str()));
}

#[test]
fn some_of_nothing_is_not_nothing() {
    survives(&Some(None::<u8>));
    survives(&None::<Option<u8>>);
    survives(&Some(Some(0_u8)));
}

#[test]
fn what_is_no_number_comes_back() {
    let numbers = [f64::NAN, f64::NEG_INFINITY, -0.0, f64::from_bits(1)];
    assert_eq!(read::<[f64; 4]>(written(&numbers)).unwrap().map(f64::to_bits), numbers.map(f64::to_bits));
}

#[test]
fn what_is_shared_comes_back_unshared() {
    let text = Arc::new("a text that is long".to_string());
    let byte = Arc::new(7);
    let many = vec![Arc::clone(&byte), byte];
    let back = read::<Sharing>(written(&Sharing { one: text, two: Rc::new(7), many })).unwrap();
    assert_eq!((back.one.as_str(), *back.two), ("a text that is long", 7));
    assert!(back.many == [Arc::new(7), Arc::new(7)] && !Arc::ptr_eq(&back.many[0], &back.many[1]));
}

/// rkyv's own choice, and a wrong value. If it is no more, the documentation should not warn of it.
#[test]
fn a_usize_is_cut_to_32_bits() {
    survives(&(u32::MAX as usize));
    assert_eq!(read::<usize>(written(&(usize::MAX - 1))).unwrap(), u32::MAX as usize - 1);
}

#[test]
fn encoding_appends_and_touches_nothing_before() {
    for header in 0..20 {
        let header = "header of some length".get(..header).unwrap();
        let mut out = header.as_bytes().to_vec();
        Rkyv.encode(&tree(), &mut out).unwrap();
        assert_eq!(out, [header.as_bytes(), &written(&tree())].concat());
    }
}

#[test]
fn bytes_are_read_wherever_they_lie() {
    let value = (1_u8, 2_u128, tree());
    let bytes = written(&value);
    for offset in 0..64 {
        assert_eq!(read::<(u8, u128, Tree)>(at_offset(offset, &bytes)).unwrap(), value, "{offset}");
    }
}

#[test]
fn aligned_bytes_are_not_copied() {
    let taken = |offset| {
        let bytes = at_offset(offset, &written(&(1_u64, 2_u128)));
        measure(|| assert_eq!(read::<(u64, u128)>(bytes).unwrap(), (1, 2))).count_total
    };
    assert_eq!((taken(0), taken(16), taken(8), taken(1)), (0, 0, 1, 1));
}

/// A chain of boxes, each of eight bytes: whether there is another, and that it is twelve bytes before.
fn chain(levels: usize) -> Vec<u8> {
    [[0; 8].to_vec(), b"\x01\0\0\0\xf4\xff\xff\xff".repeat(levels)].concat()
}

#[test]
fn deep_boxes_are_an_error() {
    assert!(refused::<Chain>(chain(100_000)).contains("nested deeper than 128 levels"));
    assert!(refused::<Chain>(at_offset(1, &chain(100_000))).contains("nested deeper than 128 levels"));
}

#[test]
fn deep_lists_and_maps_are_an_error() {
    let deep = |outer: fn(Tree) -> Tree| {
        let bytes = written(&(0..200).fold(Tree::Leaf, |inner, _| outer(inner)));
        assert!(refused::<Tree>(bytes).contains("nested deeper than 128 levels"));
    };
    deep(|inner| Tree::Both(vec![inner]));
    deep(|inner| Tree::Named { parts: [(String::new(), inner)].into() });
}

#[test]
fn what_is_nested_at_most_128_levels_is_read() {
    let nested = |levels| (0..levels).fold(Chain(None), |inner, _| Chain(Some(Box::new(inner))));
    assert_eq!(written(&nested(128)), chain(128));
    survives(&nested(128));
    assert!(refused::<Chain>(chain(129)).contains("nested deeper"));
    survives(&(0..128).fold(Tree::Leaf, |inner, _| Tree::Both(vec![inner])));
}

/// What points in a circle, to itself, to the same as another, or out of the bytes.
#[test]
fn parts_that_overlap_are_an_error() {
    refused::<Chain>(&b"\x01\0\0\0\xfc\xff\xff\xff"[..]);
    refused::<Chain>(&b"\x01\0\0\0\x04\0\0\0\x01\0\0\0\xf4\xff\xff\xff"[..]);
    refused::<Chain>(&b"\x01\0\0\0\x04\0\0\0"[..]);
    refused::<Chain>(&b"\x01\0\0\0\xf4\xff\xff\xff"[..]);
    assert_eq!(
        read::<[Box<u32>; 2]>(&b"\x07\0\0\0\x08\0\0\0\xf8\xff\xff\xff\xf8\xff\xff\xff"[..]).unwrap(),
        [Box::new(7), Box::new(8)]
    );
    refused::<[Box<u32>; 2]>(&b"\x07\0\0\0\x08\0\0\0\xf8\xff\xff\xff\xf4\xff\xff\xff"[..]);
}

#[test]
#[allow(clippy::zero_sized_map_values, reason = "what takes no bytes is a part of the subject")]
fn a_declared_length_makes_no_room() {
    fn refusing_takes<V: Debug>(bytes: &'static [u8]) -> u64
    where
        Rkyv: Codec<V>,
    {
        measure(|| drop(refused::<V>(bytes))).bytes_max
    }
    // Where the elements begin, how many there are, and of hash maps for how many there is room.
    for list in
        [b"\0\0\0\0\xff\xff\xff\xff", b"\0\0\0\0\xff\xff\xff\x0f", b"\xfc\xff\xff\xff\xff\xff\xff\x7f"]
    {
        assert!(refusing_takes::<Vec<u64>>(list) < 1024);
        assert!(refusing_takes::<Vec<u8>>(list) < 1024);
        assert!(refusing_takes::<Vec<Vec<u8>>>(list) < 1024);
        assert!(refusing_takes::<VecDeque<[u64; 16]>>(list) < 1024);
        assert!(refusing_takes::<BTreeMap<u8, u8>>(list) < 1024);
    }
    assert!(refusing_takes::<String>(b"\xbf\xff\xff\xff\0\0\0\0") < 1024);
    for map in [b"\0\0\0\0\xff\xff\xff\x0f\xff\xff\xff\x1f", b"\0\0\0\0\xff\xff\xff\xfe\xff\xff\xff\xff"] {
        assert!(refusing_takes::<HashMap<u64, u64>>(map) < 1024);
        assert!(refusing_takes::<HashMap<(), ()>>(map) < 1024);
    }
}

#[test]
fn no_bytes_are_an_error() {
    refused::<u8>("");
    refused::<Option<u8>>("");
    refused::<String>("");
    refused::<Tree>("");
}

#[test]
fn bytes_in_front_of_the_value_are_not_noticed() {
    let more = [b"more".repeat(8), written(&tree()).to_vec()].concat();
    assert_eq!(read::<Tree>(more).unwrap(), tree());
}

/// Every cut and every changed byte of a real value: an error or another value, never a panic.
#[test]
fn damage_is_an_error_or_another_value() {
    let bytes = written(&tree());
    for length in 0..bytes.len() {
        let _ = read::<Tree>(bytes.slice(..length));
        let _ = read::<Tree>(bytes.slice(length..));
    }
    for position in 0..bytes.len() {
        for byte in 0..=255 {
            let mut changed = bytes.to_vec();
            changed[position] = byte;
            let _ = read::<Tree>(changed);
        }
    }
}

#[track_caller]
fn shows_nothing(error: &Error) {
    let shown = format!("{error} {error:?} {:?}", error.source().map(ToString::to_string));
    assert!(!shown.contains("hunter2") && !shown.contains("42"), "{shown}");
}

/// Refuses what it reads and some of what it writes, and says what it was.
struct Picky;

impl ArchiveWith<String> for Picky {
    type Archived = ArchivedString;
    type Resolver = StringResolver;

    fn resolve_with(text: &String, resolver: StringResolver, out: Place<ArchivedString>) {
        text.resolve(resolver, out);
    }
}

impl<S: Fallible + rkyv::ser::Writer> SerializeWith<String, S> for Picky
where
    S::Error: Source,
{
    fn serialize_with(text: &String, serializer: &mut S) -> Result<StringResolver, S::Error> {
        if text.starts_with("un") {
            rancor::fail!(std::io::Error::other(format!("cannot write {text}")));
        }
        text.serialize(serializer)
    }
}

impl<D: Fallible> DeserializeWith<ArchivedString, String, D> for Picky
where
    D::Error: Source,
{
    fn deserialize_with(text: &ArchivedString, _: &mut D) -> Result<String, D::Error> {
        rancor::fail!(std::io::Error::other(format!("no such place: {text}")))
    }
}

#[derive(Debug, Archive, Serialize, Deserialize)]
struct Guarded(#[rkyv(with = Picky)] String);

#[test]
fn errors_show_no_values() {
    shows_nothing(&read::<bool>(&b"\x2a"[..]).unwrap_err());
    shows_nothing(&read::<Option<u8>>(&b"\x2a\x2a"[..]).unwrap_err());
    shows_nothing(&read::<String>(&b"hunter2\xc3"[..]).unwrap_err());
    shows_nothing(&read::<std::num::NonZeroU8>(&b"\0"[..]).unwrap_err());
    shows_nothing(&read::<Guarded>(written(&Guarded("hunter2".into()))).unwrap_err());
    let unwritable = Rkyv.encode(&Guarded("unhunter2".into()), &mut Vec::new()).unwrap_err();
    assert_eq!(unwritable.kind(), ErrorKind::Codec);
    shows_nothing(&unwritable);
}
