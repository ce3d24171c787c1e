//! A derive that would hash what the key skips.
use larder::Key;

#[derive(Clone, Hash, Key)]
struct Page {
    tenant: String,
    #[key(skip)]
    asked_by: u64,
}

fn main() {}
