//! A batch that must not leave anything out.
use larder::cached;
use std::collections::HashMap;

async fn users(ids: Vec<u64>) -> HashMap<u64, String> {
    ids.into_iter().map(|id| (id, format!("user {id}"))).collect()
}

#[cached(batch = users)]
async fn user(id: u64) -> String;

fn main() {
    let _ = user(7);
}
