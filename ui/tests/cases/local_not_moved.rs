//! A local that the load uses must be moved into it.
use larder::prelude::*;

async fn user(users: &Cache<str, u32>) -> Option<u32> {
    let text = String::from("36");
    users.get_or_load("ada", async || text.parse::<u32>()).await.ok()
}

fn main() {
    let _ = user;
}
