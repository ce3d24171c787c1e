//! A companion of another name.
use larder::cached;

#[cached(ttl = "60s")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user::invalidate(7);
}
