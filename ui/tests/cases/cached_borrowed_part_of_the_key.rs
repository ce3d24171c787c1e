//! A part of the key that lives no longer than the call.
use larder::cached;

#[cached(ttl = "60s")]
async fn greeting(name: Option<&str>) -> String {
    format!("hello, {}", name.unwrap_or("you"))
}

fn main() {
    let _ = greeting(None);
}
