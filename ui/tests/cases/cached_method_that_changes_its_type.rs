//! A method that cannot be left out on a hit.
use larder::{Cache, cached};

struct Users {
    cache: Cache<u64, String>,
    runs: u64,
}

impl Users {
    #[cached(cache = self.cache)]
    async fn user(&mut self, id: u64) -> String {
        self.runs += 1;
        format!("user {id}")
    }
}

fn main() {}
