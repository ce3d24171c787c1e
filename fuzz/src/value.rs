//! A value of every sort that serde knows, nested in every way.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A value of any shape.
///
/// No option holds an option: most formats cannot tell them apart, and codecs do not promise it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Tree {
    /// A variant of nothing.
    Leaf,
    /// A variant of one value, and of the smallest.
    Flag(bool),
    /// An integer that few formats have.
    Whole(i128),
    /// Integers of all sizes, as a tuple.
    Sizes(u8, i16, u32, i64),
    /// A number that must come back to the last bit.
    Double(Double),
    /// Another one.
    Single(Single),
    /// A character.
    Letter(char),
    /// A text.
    Text(String),
    /// Bytes, as serde has them by itself: a sequence of numbers.
    Bytes(Vec<u8>),
    /// One level deeper.
    Boxed(Box<Tree>),
    /// As many as one likes.
    Many(Vec<Tree>),
    /// A map by texts.
    Named(BTreeMap<String, Tree>),
    /// A map by numbers.
    Numbered(BTreeMap<i32, Tree>),
    /// A tuple inside a variant.
    Pair((Box<Tree>, Option<Box<Tree>>)),
    /// Named fields, of which one may be missing.
    Branch {
        /// A text that must be there.
        name: String,
        /// Nothing, or one level deeper.
        left: Option<Box<Tree>>,
        /// Levels deeper.
        right: Vec<Tree>,
        /// What older releases did not write.
        #[serde(default)]
        since: u64,
    },
}

/// A number that is equal to none but itself, whatever it is.
#[derive(
    Clone,
    Copy,
    Debug,
    serde::Serialize,
    serde::Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Double(pub f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// A shorter number that is equal to none but itself.
#[derive(Clone, Copy, Debug)]
pub struct Single(pub f32);

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Serialize for Single {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f32(self.0)
    }
}

impl<'de> Deserialize<'de> for Single {
    /// Serde makes an infinity of a number that is too large. JSON has none, and then it would not come back.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let is_text = deserializer.is_human_readable();
        let number = f32::deserialize(deserializer)?;
        if is_text && !number.is_finite() {
            return Err(D::Error::custom("too large"));
        }
        Ok(Single(number))
    }
}
