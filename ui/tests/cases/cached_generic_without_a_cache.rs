//! One cache for the whole process, and a type that each call chooses.
use larder::cached;
use std::fmt::Display;

#[cached(ttl = "60s")]
async fn shown<T: Display>(what: T) -> String {
    what.to_string()
}

fn main() {
    let _ = shown(7);
}
