//! A closure for the key whose parameter is none of the arguments.
use larder::cached;

#[cached(key = |uid| uid % 10)]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
