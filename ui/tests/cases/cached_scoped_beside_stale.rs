//! A load that ends with its caller, and a reload in the background.
use larder::cached;

#[cached(ttl = "60s", stale = "30s", scoped)]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
