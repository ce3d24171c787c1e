//! An expression that is no span of time.
use larder::cached;

const MINUTE: u64 = 60;

#[cached(ttl = MINUTE)]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
