//! A function that there is not.
use larder::{cached, invalidates};

#[cached]
async fn user(id: u64) -> String {
    format!("user {id}")
}

#[invalidates(usr(id))]
async fn rename(id: u64) {
    println!("{id}");
}

fn main() {
    let _ = (user(7), rename(7));
}
