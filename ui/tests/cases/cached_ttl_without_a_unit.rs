//! A number where a span of time is wanted.
use larder::cached;

#[cached(ttl = 60)]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
