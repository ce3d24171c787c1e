//! Options that are unknown, in the wrong place, or written otherwise.
use larder::Key;

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(prefix = "page")]
struct Page {
    #[key(ignore)]
    tenant: String,
    no: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(skip)]
enum Owner {
    #[key(skip)]
    Guest,
    #[key(crate = larder, name = "user")]
    Member(#[key(crate = larder)] u64),
    #[key(rename = 7)]
    Group(u64),
    #[key(rename)]
    All,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
#[key(crate = "larder")]
struct UserId(u64);

fn main() {}
