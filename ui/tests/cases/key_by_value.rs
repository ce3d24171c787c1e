//! Keys are looked up by reference.
use larder::prelude::*;

async fn user(users: &Cache<u64, u32>) {
    let _ = users.get(7).await;
}

fn main() {
    let _ = user;
}
