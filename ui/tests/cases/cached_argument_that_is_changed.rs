//! An argument that would be changed on a miss only.
use larder::cached;

#[cached(ttl = "60s")]
async fn user(id: u64, seen: &mut Vec<u64>) -> String {
    seen.push(id);
    format!("user {id}")
}

fn main() {
    let _ = user(7, &mut Vec::new());
}
