//! A result of which there can be only one.
use larder::cached;

struct User;

#[cached(ttl = "60s")]
async fn user(id: u64) -> User {
    println!("{id}");
    User
}

fn main() {
    let _ = user(7);
}
