//! A load runs as a task of its own and cannot borrow; `get_or_load_scoped` can.
use larder::prelude::*;

struct Db;

impl Db {
    async fn user(&self, _name: &str) -> Result<u32, String> {
        Ok(36)
    }
}

async fn user(users: &Cache<str, u32>, db: &Db) -> Option<u32> {
    users.get_or_load("ada", async || db.user("ada").await).await.ok()
}

fn main() {
    let _ = user;
}
