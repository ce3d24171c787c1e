//! A change after which nothing is said to be untrue.
use larder::invalidates;

#[invalidates]
async fn rename(id: u64) {
    println!("{id}");
}

fn main() {
    let _ = rename(7);
}
