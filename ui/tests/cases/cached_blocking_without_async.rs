//! A function that blocks its caller already.
use larder::cached;

#[cached(ttl = "60s", blocking)]
fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
