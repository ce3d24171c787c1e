//! Any bytes, decoded by [`Rkyv`](larder_codecs::Rkyv), wherever they lie.

#![no_main]

use larder_fuzz::decodes_archive;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| decodes_archive(bytes));
