//! A function that neither a body nor a batch loads.
use larder::cached;

#[cached(ttl = "60s")]
async fn user(id: u64) -> Option<String>;

fn main() {
    let _ = user(7);
}
