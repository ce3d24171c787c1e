//! An option whose value is forgotten.
use larder::cached;

#[cached(ttl)]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
