//! Fields that are no keys themselves, in each shape.
use larder::Key;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Tenant(String);

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct One(Tenant);

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Page {
    tenant: Tenant,
    no: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Key)]
enum Owner {
    Member(u64, Tenant),
}

fn main() {}
