//! Any bytes, decompressed and compressed by [`Lz4`].

#![no_main]

use larder_codecs::Lz4;
use larder_fuzz::compresses;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| compresses(&Lz4::new(), input));
