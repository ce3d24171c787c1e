//! A function, in place of the call whose result is no longer true.
use larder::{cached, invalidates};

#[cached]
async fn user(id: u64) -> String {
    format!("user {id}")
}

#[invalidates(user)]
async fn rename(id: u64) {
    println!("{id}");
}

fn main() {
    let _ = rename(7);
}
