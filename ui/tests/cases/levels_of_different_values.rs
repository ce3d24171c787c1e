//! Levels that hold different values.
use larder::prelude::*;

fn main() {
    let front = Cache::new(Memory::<str, u32>::new(100));
    let back = Cache::new(Memory::<str, String>::new(100));
    let _ = front.chain(back);
}
