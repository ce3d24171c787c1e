//! A key that cannot be written as text, in a store of bytes.
use larder::prelude::*;

#[derive(Clone, PartialEq, Eq, Hash)]
struct UserId(u64);

fn main() {
    let users = Cache::new(Object::in_memory()).codec(Json);
    let _ = users.insert(&UserId(7), 36);
}
