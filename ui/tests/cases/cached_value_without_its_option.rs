//! A value that does not say what it is of.
use larder::cached;

#[cached("60s")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
