//! Two lives for one result.
use larder::cached;

#[cached(ttl = "60s", capacity = 100, ttl = "5m")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
