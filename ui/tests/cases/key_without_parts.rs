//! Nothing is left that tells two keys apart.
use larder::Key;

#[derive(Clone, Key)]
struct Page {
    #[key(skip)]
    tenant: String,
    #[key(skip)]
    no: u32,
}

fn main() {}
