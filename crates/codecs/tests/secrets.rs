//! Errors are printed, so they show no values.

#![cfg(all(feature = "json", feature = "msgpack", feature = "postcard", feature = "cbor"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::Bytes;
use larder_codecs::{Cbor, CompactMessagePack, Json, MessagePack, Postcard};
use larder_core::{Codec, Error};
use serde::{Deserialize, Serialize, Serializer, ser};
use std::error::Error as _;
use std::fmt::Debug;

#[track_caller]
fn shows_nothing(error: &Error) {
    let shown = format!("{error} {error:?} {:?}", error.source().map(ToString::to_string));
    assert!(!shown.contains("hunter2") && !shown.contains("42"), "{shown}");
}

#[track_caller]
fn shows_nothing_of<V: Debug>(codec: &impl Codec<V>, bytes: &'static [u8]) {
    shows_nothing(&codec.decode(&Bytes::from_static(bytes)).unwrap_err());
}

#[track_caller]
fn cannot_read<V: Debug>(json: &'static str, packed: &'static [u8], cbor: &'static [u8])
where
    Json: Codec<V>,
    MessagePack: Codec<V>,
    CompactMessagePack: Codec<V>,
    Cbor: Codec<V>,
{
    shows_nothing_of::<V>(&Json, json.as_bytes());
    shows_nothing_of::<V>(&MessagePack, packed);
    shows_nothing_of::<V>(&CompactMessagePack, packed);
    shows_nothing_of::<V>(&Cbor, cbor);
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(default)]
    a: u8,
}

#[derive(Debug, Serialize, Deserialize)]
enum Only {
    This,
}

#[test]
fn a_value_that_does_not_fit_is_not_shown() {
    cannot_read::<u64>("\"hunter2\"", b"\xa7hunter2", b"\x67hunter2");
    cannot_read::<Strict>("{\"hunter2\":1}", b"\x81\xa7hunter2\x01", b"\xa1\x67hunter2\x01");
    cannot_read::<Strict>("{\"a\":\"hunter2\"}", b"\x81\xa1a\xa7hunter2", b"\xa1\x61a\x67hunter2");
    cannot_read::<Only>("\"hunter2\"", b"\xa7hunter2", b"\x67hunter2");
    cannot_read::<String>("42", b"\x2a", b"\x18\x2a");
    cannot_read::<(bool,)>("[42]", b"\x91\x2a", b"\x81\x18\x2a");
    cannot_read::<std::net::IpAddr>("\"hunter2\"", b"\x81\xa7hunter2\x01", b"\xa1\x67hunter2\x01");
}

#[test]
fn a_value_that_does_not_fit_is_not_shown_by_postcard() {
    shows_nothing_of::<bool>(&Postcard, b"\x2a");
    shows_nothing_of::<Only>(&Postcard, b"\x2a");
    shows_nothing_of::<(String, u8)>(&Postcard, b"\x07hunter2");
    shows_nothing_of::<std::num::NonZeroU8>(&Postcard, b"\0");
    shows_nothing_of::<Picky>(&Postcard, b"\x07hunter2");
}

/// Refuses what it reads, and says what it was.
#[derive(Debug)]
struct Picky;

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("hunter2")
    }
}

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("no such place: {text}")))
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("cannot write hunter2"))
    }
}

#[test]
fn a_value_that_cannot_be_written_is_not_shown() {
    fn cannot_write(codec: &impl Codec<Unwritable>) {
        shows_nothing(&codec.encode(&Unwritable, &mut Vec::new()).unwrap_err());
    }
    cannot_write(&Json);
    cannot_write(&MessagePack);
    cannot_write(&CompactMessagePack);
    cannot_write(&Postcard);
    cannot_write(&Cbor);
}

#[test]
fn the_place_in_the_json_is_told() {
    let error = Codec::<Vec<u8>>::decode(&Json, &Bytes::from("[1,\n2,\"x\"]")).unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
}
