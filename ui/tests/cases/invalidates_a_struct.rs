//! A type is not called, so nothing is done after it.
use larder::invalidates;

#[invalidates(tags = ["users"])]
struct User {
    id: u64,
}

fn main() {
    let _ = User { id: 7 }.id;
}
