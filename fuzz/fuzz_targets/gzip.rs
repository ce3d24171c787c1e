//! Any bytes, decompressed and compressed by [`Gzip`].

#![no_main]

use larder_codecs::Gzip;
use larder_fuzz::compresses;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| compresses(&Gzip::level(1), input));
