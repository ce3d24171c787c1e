//! The store over GCS.
fn main() {}
