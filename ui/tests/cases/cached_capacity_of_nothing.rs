//! A cache without room.
use larder::cached;

#[cached(capacity = 0)]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
