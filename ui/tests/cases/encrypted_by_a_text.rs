//! A password is no key.

use larder::prelude::*;

fn main() {
    let _: Cache<str, u32> = Cache::new(Object::in_memory()).codec(Json).encrypted("hunter2").boxed();
}
