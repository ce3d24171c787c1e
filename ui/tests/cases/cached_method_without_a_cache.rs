//! A method, whose instances would share their results.
use larder::cached;

struct Users {
    host: String,
}

impl Users {
    #[cached(ttl = "60s")]
    async fn user(&self, id: u64) -> String {
        format!("user {id} of {}", self.host)
    }
}

fn main() {
    let users = Users { host: "here".into() };
    let _ = users.user(7);
}
