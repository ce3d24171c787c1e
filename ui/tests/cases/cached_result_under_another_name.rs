//! A `Result` whose name does not say so, and whose errors would be kept.
use larder::cached;

type Answer = Result<String, std::fmt::Error>;

#[cached(ttl = "60s")]
async fn user(id: u64) -> Answer {
    Ok(format!("user {id}"))
}

fn main() {
    let _ = user(7);
}
