//! A queue in front of memory would only delay.
use larder::Behind;
use larder::prelude::*;

fn main() {
    let _ = Cache::new(Memory::<str, u32>::new(100)).write(Behind::default());
}
