//! A span of time that is none.
use larder::cached;

#[cached(ttl = "60x")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
