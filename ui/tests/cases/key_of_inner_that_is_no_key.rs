//! A generic key of something that is no key.
use larder::prelude::*;
use larder::Key;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Tenant(String);

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Of<T> {
    no: u32,
    inner: T,
}

fn main() {
    let pages = Cache::new(Object::in_memory()).codec(Json);
    let _ = pages.insert(&Of { no: 7, inner: Tenant("acme".into()) }, 36);
}
