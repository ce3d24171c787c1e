//! Any bytes, decoded by [`Json`].

#![no_main]

use larder_codecs::Json;
use larder_fuzz::decodes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| decodes(&Json, bytes));
