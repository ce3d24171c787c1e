//! A method whose load cannot take its instance along.
use larder::{Cache, cached};

struct Users {
    cache: Cache<u64, String>,
    host: String,
}

impl Users {
    #[cached(cache = self.cache)]
    async fn user(&self, id: u64) -> String {
        format!("user {id} of {}", self.host)
    }
}

fn main() {}
