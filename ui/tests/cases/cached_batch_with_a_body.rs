//! A body that would never run.
use larder::cached;
use std::collections::HashMap;

async fn users(ids: Vec<u64>) -> HashMap<u64, String> {
    ids.into_iter().map(|id| (id, format!("user {id}"))).collect()
}

#[cached(batch = users)]
async fn user(id: u64) -> Option<String> {
    Some(format!("user {id}"))
}

fn main() {
    let _ = user(7);
}
