//! A life for errors that cannot be.
use larder::cached;

#[cached(ttl = "60s", cache_errors = "5s")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
