//! A placeholder without its end.
use larder::cached;

#[cached(key = "user:{id")]
async fn user(id: u64, verbose: bool) -> String {
    format!("user {id} {verbose}")
}

fn main() {
    let _ = user(7, true);
}
