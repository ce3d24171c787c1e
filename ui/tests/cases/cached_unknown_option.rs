//! An option that there is not, and a call of the function: one error.
use larder::cached;

#[cached(tll = "60s")]
async fn user(id: u64) -> String {
    format!("user {id}")
}

fn main() {
    let _ = user(7);
}
