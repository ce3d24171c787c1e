//! An argument that is no key of the function.
use larder::{cached, invalidates};

#[cached]
async fn user(id: u64) -> String {
    format!("user {id}")
}

#[invalidates(user(name))]
async fn rename(name: String) {
    println!("{name}");
}

fn main() {
    let _ = (user(7), rename("ada".into()));
}
