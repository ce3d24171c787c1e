//! A tag that is not in a list.
use larder::invalidates;

#[invalidates(tags = "user:{id}")]
async fn rename(id: u64) {
    println!("{id}");
}

fn main() {
    let _ = rename(7);
}
