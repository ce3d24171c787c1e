//! A template that names an argument which the function does not have.
use larder::cached;

#[cached(key = "user:{uid}")]
async fn user(id: u64, verbose: bool) -> String {
    format!("user {id} {verbose}")
}

fn main() {
    let _ = user(7, true);
}
