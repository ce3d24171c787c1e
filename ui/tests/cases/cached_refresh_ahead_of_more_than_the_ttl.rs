//! A part of the ttl that is no part.
use larder::cached;

#[cached(ttl = "60s", refresh_ahead = 80)]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
