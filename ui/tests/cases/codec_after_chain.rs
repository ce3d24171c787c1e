//! A codec belongs to a level, not to the whole.
use larder::prelude::*;

fn main() {
    let front = Cache::new(Memory::<str, u32>::new(100));
    let _ = front.chain(Cache::new(Object::in_memory()).codec(Json)).codec(Json).namespace("users");
}
