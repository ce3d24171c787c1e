//! A load is a closure, so that nothing is begun on a hit.
use larder::prelude::*;

async fn load() -> Result<u32, String> {
    Ok(36)
}

async fn user(users: &Cache<str, u32>) {
    let _ = users.get_or_load("ada", load()).await;
}

fn main() {
    let _ = user;
}
