//! Any bytes, decoded by [`MessagePack`].

#![no_main]

use larder_codecs::MessagePack;
use larder_fuzz::decodes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| decodes(&MessagePack, bytes));
