//! A name for a field, which has none in a text.
use larder::Key;

#[derive(Clone, PartialEq, Eq, Hash, Key)]
struct Page {
    #[key(rename = "t")]
    tenant: String,
    no: u32,
}

fn main() {}
