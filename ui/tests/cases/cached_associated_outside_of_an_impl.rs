//! A free function that is said to be in an `impl`.
use larder::cached;

#[cached(ttl = "60s", associated)]
fn area(side: u64) -> u64 {
    side * side
}

fn main() {
    let _ = area(3);
}
