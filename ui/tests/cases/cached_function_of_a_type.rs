//! A function in an `impl`, which nothing tells from a free one.
use larder::cached;

struct Geometry;

impl Geometry {
    #[cached(ttl = "60s")]
    fn area(side: u64) -> u64 {
        side * side
    }
}

fn main() {
    let _ = Geometry::area(3);
}
