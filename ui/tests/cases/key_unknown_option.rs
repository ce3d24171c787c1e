//! Options that are not there, or not there.
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

fn main() {}
