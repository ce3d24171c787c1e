//! A function whose results nobody keeps.
use larder::invalidates;

async fn user(id: u64) -> String {
    format!("user {id}")
}

#[invalidates(user(id))]
async fn rename(id: u64) {
    println!("{id}");
}

fn main() {
    let _ = (user(7), rename(7));
}
