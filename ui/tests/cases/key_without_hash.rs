//! A key that cannot be looked up by.
use larder::prelude::*;

#[derive(Clone, PartialEq, Eq)]
struct UserId(u64);

fn main() {
    let users = Cache::new(Memory::<UserId, u32>::new(100));
    let _ = users.get(&UserId(7));
}
