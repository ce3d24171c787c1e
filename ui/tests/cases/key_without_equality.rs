//! A key that cannot be looked up by.
use larder::Key;

#[derive(Clone, Key)]
struct UserId(u64);

fn main() {}
