//! An argument without a name.
use larder::cached;

#[cached(ttl = "60s")]
async fn sum((a, b): (u64, u64)) -> u64 {
    a + b
}

fn main() {
    let _ = sum((1, 2));
}
