//! Two variants that would share texts.
use larder::Key;

#[derive(Clone, PartialEq, Eq, Hash, Key)]
enum Owner {
    Member(u64),
    #[key(rename = "Member")]
    Guest(u64),
}

fn main() {}
