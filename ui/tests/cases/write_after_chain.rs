//! How values get into a level is said about that level.
use larder::Around;
use larder::prelude::*;

fn main() {
    let front = Cache::new(Memory::<str, u32>::new(100));
    let _ = front.chain(Cache::new(Object::in_memory()).codec(Json)).write(Around);
}
