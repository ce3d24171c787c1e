//! A result whose type cannot be named, so that no cache can be of it.
use larder::cached;

#[cached(ttl = "60s")]
fn numbers(until: u64) -> impl Iterator<Item = u64> {
    0..until
}

fn main() {
    let _ = numbers(7);
}
