//! Nothing says what the error type is.
use larder::prelude::*;

async fn user(users: &Cache<str, u32>) -> u32 {
    users.get_or_load("ada", async || Ok(36)).await.unwrap()
}

fn main() {
    let _ = user;
}
