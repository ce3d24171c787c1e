//! A message of Protocol Buffers with every sort of field.

use bytes::Bytes;
use std::collections::BTreeMap;

/// Any message. No floating-point numbers: those that are none are equal to nothing.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Message {
    /// An integer of variable length.
    #[prost(int64, tag = "1")]
    pub whole: i64,
    /// One of fixed length.
    #[prost(fixed32, optional, tag = "2")]
    pub fixed: Option<u32>,
    /// A text.
    #[prost(string, tag = "3")]
    pub text: String,
    /// Bytes, which are a slice of the input.
    #[prost(bytes = "bytes", tag = "4")]
    pub bytes: Bytes,
    /// Numbers in one run.
    #[prost(sint32, repeated, tag = "5")]
    pub packed: Vec<i32>,
    /// Levels deeper.
    #[prost(message, repeated, tag = "6")]
    pub inner: Vec<Message>,
    /// One level deeper, or nothing.
    #[prost(message, optional, boxed, tag = "7")]
    pub one: Option<Box<Message>>,
    /// A map in order, so that it has one encoding.
    #[prost(btree_map = "uint32, bool", tag = "8")]
    pub map: BTreeMap<u32, bool>,
    /// One of several.
    #[prost(oneof = "Choice", tags = "9, 10")]
    pub choice: Option<Choice>,
}

/// One of several.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Choice {
    /// A text.
    #[prost(string, tag = "9")]
    Text(String),
    /// A level deeper.
    #[prost(message, tag = "10")]
    Inner(Box<Message>),
}
