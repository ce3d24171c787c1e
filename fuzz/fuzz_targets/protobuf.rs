//! Any bytes, decoded by [`Protobuf`].

#![no_main]

use bytes::Bytes;
use larder_codecs::Protobuf;
use larder_fuzz::{Message, decodes_as};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    decodes_as::<Message, _>(&Protobuf, &Bytes::copy_from_slice(bytes));
});
