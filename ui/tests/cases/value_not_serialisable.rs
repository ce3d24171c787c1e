//! A codec for a value that it cannot encode.
use larder::prelude::*;

#[derive(Clone)]
struct User;

fn main() {
    let users = Cache::new(Object::in_memory()).codec(Json);
    let _ = users.insert("ada", User);
}
