//! A load returns a `Result`; `get_or_insert_with` takes what cannot fail.
use larder::prelude::*;

async fn user(users: &Cache<str, u32>) {
    let _ = users.get_or_load("ada", async || 36).await;
}

fn main() {
    let _ = user;
}
