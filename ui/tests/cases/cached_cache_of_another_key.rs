//! A given cache that is looked up by something else.
use larder::{Cache, cached};

#[cached(cache = users, skip(users))]
async fn user(users: &Cache<str, String>, id: u64) -> String {
    format!("user {id}")
}

fn main() {}
