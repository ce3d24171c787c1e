use larder::{Cache, cached};

#[derive(Clone)]
struct Users(Cache<u64, String>);

impl std::fmt::Display for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("users")
    }
}

impl Users {
    #[cached(cache = self.0)]
    async fn user(&self, id: u64) -> String {
        format!("{id} of {self}")
    }
}

fn main() {}
