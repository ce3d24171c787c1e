//! Any bytes, decoded by [`Cbor`].

#![no_main]

use larder_codecs::Cbor;
use larder_fuzz::decodes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| decodes(&Cbor, bytes));
