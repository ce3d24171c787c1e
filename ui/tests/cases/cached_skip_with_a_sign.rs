//! An option that is written as the others.
use larder::cached;

#[cached(skip = db)]
async fn user(db: &str, id: u64) -> String {
    format!("user {id} of {db}")
}

fn main() {
    let _ = user("here", 7);
}
