//! A key that borrows: nothing could keep it.
use larder::Key;

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Page<'a> {
    tenant: &'a str,
    no: u32,
}

fn main() {}
