//! Any bytes, decrypted and encrypted by [`EncryptionKeys`].

#![no_main]

use larder_codecs::EncryptionKeys;
use larder_core::{Encrypt, ErrorKind};
use libfuzzer_sys::fuzz_target;

const CONTEXT: &[u8] = b"users:ada";

fuzz_target!(|input: &[u8]| {
    let keys = EncryptionKeys::new(2, [9; 32]).former(1, [7; 32]);
    // Also with a number of a key that there is in front, which few inputs have.
    for sealed in [input.to_vec(), [&[1, 0, 0, 0], input].concat()] {
        let error = keys.decrypt(CONTEXT, &sealed).expect_err("nobody guesses a tag");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }

    let front = keys.front_bytes();
    let mut out = b"before".to_vec();
    out.resize(6 + front, 0);
    out.extend_from_slice(input);
    keys.encrypt(CONTEXT, &mut out, 6).expect("it is not too long");
    assert_eq!(&out[..6], b"before");
    assert_eq!(keys.decrypt(CONTEXT, &out[6..]).expect("it was encrypted so"), input);
    assert!(keys.decrypt(b"users:bob", &out[6..]).is_err(), "in another place");
    let bit = input.first().map_or(0, |byte| usize::from(*byte)) % ((out.len() - 6) * 8);
    out[6 + bit / 8] ^= 1 << (bit % 8);
    assert!(keys.decrypt(CONTEXT, &out[6..]).is_err(), "with bit {bit} changed");
});
