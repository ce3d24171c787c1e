//! Something that is no store.
use larder::prelude::*;
use std::collections::HashMap;

fn main() {
    let users: Cache<str, u32, _, _> = Cache::new(HashMap::<String, u32>::new());
    let _ = users.get("ada");
}
