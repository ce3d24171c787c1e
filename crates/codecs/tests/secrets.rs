//! Errors are printed, so they show no values.

#![cfg(all(feature = "json", feature = "msgpack"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use bytes::{Bytes, BytesMut};
use larder_codecs::{Json, MessagePack};
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
fn cannot_read<V: Debug>(json: &'static str, packed: &'static [u8])
where
    Json: Codec<V>,
    MessagePack: Codec<V>,
{
    let decoded: Result<V, _> = Json.decode(&Bytes::from(json));
    shows_nothing(&decoded.unwrap_err());
    let decoded: Result<V, _> = MessagePack.decode(&Bytes::from_static(packed));
    shows_nothing(&decoded.unwrap_err());
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
    cannot_read::<u64>("\"hunter2\"", b"\xa7hunter2");
    cannot_read::<Strict>("{\"hunter2\":1}", b"\x81\xa7hunter2\x01");
    cannot_read::<Strict>("{\"a\":\"hunter2\"}", b"\x81\xa1a\xa7hunter2");
    cannot_read::<Only>("\"hunter2\"", b"\xa7hunter2");
    cannot_read::<String>("42", b"\x2a");
    cannot_read::<(bool,)>("[42]", b"\x91\x2a");
    cannot_read::<std::net::IpAddr>("\"hunter2\"", b"\x81\xa7hunter2\x01");
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
    shows_nothing(&Json.encode(&Unwritable, &mut BytesMut::new()).unwrap_err());
    shows_nothing(&MessagePack.encode(&Unwritable, &mut BytesMut::new()).unwrap_err());
}

#[test]
fn the_place_in_the_json_is_told() {
    let error = Codec::<Vec<u8>>::decode(&Json, &Bytes::from("[1,\n2,\"x\"]")).unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
}
