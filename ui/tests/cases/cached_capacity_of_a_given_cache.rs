//! An option of the cache, which was made elsewhere.
use larder::{Cache, cached};

#[cached(cache = users, skip(users), capacity = 100)]
async fn user(users: &Cache<u64, String>, id: u64) -> String {
    format!("user {id}")
}

fn main() {}
