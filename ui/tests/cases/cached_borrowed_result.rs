//! A result that is not the cache's to keep.
use larder::cached;

#[cached(ttl = "60s")]
fn first(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

fn main() {
    let _ = first("ada lovelace");
}
