//! A companion is given the arguments that make the key.
use larder::cached;

#[cached(ttl = "60s")]
async fn member(team: u64, name: &str) -> String {
    format!("{name} of {team}")
}

fn main() {
    let _ = member::remove(7);
}
