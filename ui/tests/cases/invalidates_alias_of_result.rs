use larder::{cached, invalidates};

type Answer = Result<u64, String>;

#[cached]
fn user(id: u64) -> u64 {
    id
}

#[invalidates(user(id))]
fn change(id: u64) -> Answer {
    Ok(id)
}

fn main() {
    let _ = change(7);
}
