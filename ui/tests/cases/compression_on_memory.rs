//! Memory keeps values: there is nothing to compress.

use larder::prelude::*;

fn main() {
    let _: Cache<str, String> = Cache::new(Memory::new(10)).zstd(3).boxed();
}
