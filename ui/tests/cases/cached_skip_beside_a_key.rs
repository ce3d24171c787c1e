//! A key that says what is in it, and something to leave out.
use larder::cached;

#[cached(key = "user:{id}", skip(db))]
async fn user(db: &str, id: u64) -> String {
    format!("user {id} of {db}")
}

fn main() {
    let _ = user("here", 7);
}
