use larder::cached;
use std::collections::HashMap;

async fn users(_: Vec<u64>) -> HashMap<u64, String> {
    HashMap::new()
}

#[cached(batch = users, tags = ["user:{id}"])]
async fn user(id: u64) -> Option<String>;

fn main() {}
