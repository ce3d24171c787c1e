//! An argument that a load cannot take along.
use larder::cached;

struct Db;

#[cached(ttl = "60s", skip(db))]
async fn user(db: &Db, id: u64) -> String {
    let Db = db;
    format!("user {id}")
}

fn main() {
    let _ = user(&Db, 7);
}
