//! A chain has no values that travel; its levels have.

use larder::prelude::*;

fn main() {
    let l2 = Cache::new(Object::in_memory()).codec(Json);
    let _: Cache<str, u32> = Cache::new(Memory::new(10)).chain(l2).version(2).boxed();
}
