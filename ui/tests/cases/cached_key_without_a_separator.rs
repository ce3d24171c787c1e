//! Two placeholders side by side, in the text that a given cache is looked up by.
use larder::{Cache, cached};

#[cached(cache = users, key = "{team}{name}")]
async fn member(users: &Cache<str, u64>, team: &str, name: &str) -> u64 {
    (team.len() + name.len()) as u64
}

fn main() {}
