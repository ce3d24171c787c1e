//! What never ends, and what comes after its end.
use larder::cached;

#[cached(stale = "30s")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
