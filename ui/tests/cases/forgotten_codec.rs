//! A store of bytes without a codec, behind a level of values.
use larder::prelude::*;

#[derive(Clone)]
struct User;

fn main() {
    let object = Object::in_memory();
    let users = Cache::new(Memory::<str, User>::new(100)).chain(Cache::new(object));
    let _ = users.get("ada");
}
