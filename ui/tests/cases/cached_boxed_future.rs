//! A function that returns a future, in place of an `async fn`.
use larder::cached;
use std::pin::Pin;

#[cached(ttl = "60s")]
fn user(id: u64) -> Pin<Box<dyn Future<Output = String> + Send>> {
    Box::pin(async move { format!("user {id}") })
}

fn main() {
    let _ = user(7);
}
