//! Memory keeps values, so it has no codec and no namespace.
use larder::prelude::*;

fn main() {
    let _ = Cache::new(Memory::<str, u32>::new(100)).codec(Json);
    let _ = Cache::new(Memory::<str, u32>::new(100)).namespace("users");
}
