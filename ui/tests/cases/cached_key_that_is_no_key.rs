//! An argument's name in place of a template or a closure.
use larder::cached;

#[cached(key = id)]
async fn user(id: u64, verbose: bool) -> String {
    format!("user {id} {verbose}")
}

fn main() {
    let _ = user(7, true);
}
