//! The short type is the boxed form.
use larder::prelude::*;

struct App {
    users: Cache<str, u32>,
}

fn main() {
    let app = App { users: Cache::new(Memory::new(100)) };
    let _ = app.users.get("ada");
}
