//! A placeholder that calls a method.
use larder::cached;

#[cached(key = "user:{name.to_lowercase()}")]
async fn user(name: &str) -> String {
    format!("user {name}")
}

fn main() {
    let _ = user("Ada");
}
