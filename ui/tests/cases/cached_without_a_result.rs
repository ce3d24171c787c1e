//! A function that returns nothing.
use larder::cached;

#[cached(ttl = "60s")]
async fn rename(id: u64) {
    println!("{id}");
}

fn main() {
    let _ = rename(7);
}
