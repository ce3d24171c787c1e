//! All arguments are the key, and one of them cannot be.
use larder::cached;

#[derive(Clone)]
struct Db;

#[cached(ttl = "60s")]
async fn user(db: &Db, id: u64) -> String {
    let Db = db;
    format!("user {id}")
}

fn main() {
    let _ = user(&Db, 7);
}
