//! A batch whose keys are not those of the function.
use larder::cached;
use std::collections::HashMap;

async fn users(ids: Vec<u32>) -> HashMap<u32, String> {
    ids.into_iter().map(|id| (id, format!("user {id}"))).collect()
}

#[cached(batch = users)]
async fn user(id: u64) -> Option<String>;

fn main() {
    let _ = user(7);
}
