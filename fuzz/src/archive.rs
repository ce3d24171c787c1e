//! A value of every sort that rkyv archives, nested in every way, and what holds when any bytes are read as one.

use crate::Double;
use crate::decodes::{comes_back, decodes_as};
use bytes::Bytes;
use larder_codecs::Rkyv;
use larder_core::Codec;
use rkyv::rancor::Source;
use rkyv::ser::{Allocator, Writer};
use rkyv::validation::ArchiveContext;
use std::collections::{BTreeMap, HashMap};

/// A value of any shape.
#[derive(Clone, Debug, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
#[rkyv(
    serialize_bounds(__S: Writer + Allocator, __S::Error: Source),
    deserialize_bounds(__D::Error: Source),
    bytecheck(bounds(__C: ArchiveContext, __C::Error: Source))
)]
pub enum Archive {
    /// A variant of nothing.
    Leaf,
    /// A variant of one value, and of the smallest.
    Flag(bool),
    /// Integers of all sizes, as a tuple.
    Sizes(u8, i16, u32, i64),
    /// What is aligned to most.
    Whole(i128),
    /// A number that must come back to the last bit.
    Double(Double),
    /// A character.
    Letter(char),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// One level deeper.
    Boxed(#[rkyv(omit_bounds)] Box<Archive>),
    /// As many as one likes.
    Many(#[rkyv(omit_bounds)] Vec<Archive>),
    /// A map with an order, by texts.
    Named(#[rkyv(omit_bounds)] BTreeMap<String, Archive>),
    /// A map with an order, by numbers.
    Numbered(#[rkyv(omit_bounds)] BTreeMap<i32, Archive>),
    /// A tuple inside a variant.
    Pair(#[rkyv(omit_bounds)] (Box<Archive>, Option<Box<Archive>>)),
    /// Options of options, which are told apart.
    Perhaps(Option<Option<u16>>),
}

/// Decodes `bytes` where they are aligned and where they are not.
///
/// # Panics
///
/// Where the codec does, where it takes more memory than a multiple of its input, where what was decoded does not come
/// back from being encoded, and where the place in memory makes a difference.
pub fn decodes_archive(bytes: &[u8]) {
    let aligned = placed(bytes, 0);
    let value = decodes_as::<Archive, Rkyv>(&Rkyv, &aligned);
    for offset in [1, 8] {
        let shifted: Option<Archive> = Rkyv.decode(&placed(bytes, offset)).ok();
        assert_eq!(shifted, value, "the place in memory makes a difference");
    }
    // Its entries lie in whatever order.
    comes_back::<HashMap<String, Archive>, Rkyv>(&Rkyv, &aligned);
}

/// The bytes, so many behind an address that is divisible by 64.
fn placed(bytes: &[u8], offset: usize) -> Bytes {
    let mut room = vec![0; 64 + offset + bytes.len()];
    let start = room.as_ptr().align_offset(64) + offset;
    room[start..start + bytes.len()].copy_from_slice(bytes);
    Bytes::from(room).slice(start..start + bytes.len())
}
