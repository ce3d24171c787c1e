//! A type is not called, so it has no results.
use larder::cached;

#[cached(ttl = "60s")]
struct User {
    id: u64,
}

fn main() {
    let _ = User { id: 7 }.id;
}
