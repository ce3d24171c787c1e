//! An argument that is to be skipped, and is none.
use larder::cached;

#[cached(skip(database))]
async fn user(db: &str, id: u64) -> String {
    format!("user {id} of {db}")
}

fn main() {
    let _ = user("here", 7);
}
