//! A number of which not all are equal to themselves.
use larder::cached;

#[cached(ttl = "60s")]
fn root(of: f64) -> f64 {
    of.sqrt()
}

fn main() {
    let _ = root(2.0);
}
