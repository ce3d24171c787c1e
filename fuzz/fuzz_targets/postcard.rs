//! Any bytes, decoded by [`Postcard`].

#![no_main]

use bytes::Bytes;
use larder_codecs::Postcard;
use larder_core::Codec;
use larder_fuzz::{Tree, decodes_as};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    decodes_as::<Tree, _>(&Postcard, &bytes);
    // Nothing of it is on the wire, so any number of them could be declared.
    if let Ok(nothing) = Codec::<Vec<()>>::decode(&Postcard, &bytes) {
        assert!(nothing.len() <= bytes.len() + (1 << 16), "{} of nothing", nothing.len());
    }
});
