//! More placeholders than arguments.
use larder::cached;

#[cached(key = "user:{}:{}")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
