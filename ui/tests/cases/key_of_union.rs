//! A union does not know what it is.
use larder::Key;

#[derive(Clone, Copy, Key)]
union Number {
    int: u64,
    bits: [u8; 8],
}

fn main() {}
