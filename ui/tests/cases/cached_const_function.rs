//! A function that the compiler may run.
use larder::cached;

#[cached(ttl = "60s")]
const fn area(side: u64) -> u64 {
    side * side
}

fn main() {
    let _ = area(3);
}
