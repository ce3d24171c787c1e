//! An argument that the batch is not given.
use larder::cached;
use std::collections::HashMap;

async fn users(ids: Vec<u64>) -> HashMap<u64, String> {
    ids.into_iter().map(|id| (id, format!("user {id}"))).collect()
}

#[cached(batch = users, skip(db))]
async fn user(db: &str, id: u64) -> Option<String>;

fn main() {
    let _ = user("here", 7);
}
