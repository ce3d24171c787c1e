//! A function in an `impl`, which names `Self`.
use larder::cached;

struct Geometry;

impl Geometry {
    const SIDES: u64 = 4;

    #[cached(ttl = "60s")]
    fn around(side: u64) -> u64 {
        side * Self::SIDES
    }
}

fn main() {
    let _ = Geometry::around(3);
}
