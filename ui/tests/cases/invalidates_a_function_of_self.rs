//! A function of a type, which has its companions beside it.
use larder::{cached, invalidates};

struct Users;

impl Users {
    #[cached(associated)]
    async fn user(id: u64) -> String {
        format!("user {id}")
    }

    #[invalidates(Self::user(id))]
    async fn rename(id: u64) {
        println!("{id}");
    }
}

fn main() {
    let _ = (Users::user(7), Users::rename(7));
}
