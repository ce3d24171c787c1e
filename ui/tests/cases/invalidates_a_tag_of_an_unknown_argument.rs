//! A tag that names an argument which the function does not have.
use larder::invalidates;

#[invalidates(tags = ["user:{uid}"])]
async fn rename(id: u64) {
    println!("{id}");
}

fn main() {
    let _ = rename(7);
}
