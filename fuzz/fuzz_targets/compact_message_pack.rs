//! Any bytes, decoded by [`CompactMessagePack`].

#![no_main]

use larder_codecs::CompactMessagePack;
use larder_fuzz::decodes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| decodes(&CompactMessagePack, bytes));
