//! Any bytes, decompressed and compressed by [`Zstd`].

#![no_main]

use larder_codecs::Zstd;
use larder_fuzz::compresses;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| compresses(&Zstd::level(1), input));
